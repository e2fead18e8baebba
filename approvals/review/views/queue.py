"""The queue: what waits for me, for my teams, and what I decided."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models.news import look_again
from approvals.review.closed import closed_rows, from_word
from approvals.review.column import column_context
from approvals.review.selection import Selection
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned


@require_safe
@signed_in
def queue(request: ReviewerRequest) -> HttpResponse:
    """One view of the queue, 50 rows; 404 for a view there is not, or not for this person."""
    selection = Selection.shown(request.GET, request.user)
    context = column_context(selection, request.user, timezone.now())
    return render(request, "queue/list.html", context)


@require_safe
@signed_in
def news(request: ReviewerRequest) -> HttpResponse:
    """What came to a list since it was read, and what of it was closed; 304 while that stands."""
    selection, since = Selection.named(request.GET, request.user), request.GET.get("since", "")
    if selection is None or not since.isdecimal() or len(since) > 18:
        raise Http404
    try:
        shown = from_word(request.GET.get("shown", ""))
    except ValueError as error:
        raise Http404 from error
    now = timezone.now()
    whose = selection.news(request.user)
    found = look_again(request.user, whose, int(since), only=selection.filter, shown=shown)
    told = f"{request.user.pk} {selection.words} {since} {found}"
    version = hashlib.sha256(told.encode()).hexdigest()[:20]
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = {
        "newer": found.newer,
        "closed": closed_rows(request.user, found.closed, now) if found.closed else [],
        "now": now,
        "news_url": request.get_full_path(),
        "news_version": version,
        "selection": selection,
        "queue_url": selection.at().address,
    }
    return versioned(render(request, "queue/list.html#newer", context), version)
