"""The queue: what waits for me, for my teams, and what I decided."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models.news import count_newer
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
    """How many requests have come to a list since; 304 while the number is the same."""
    selection, since = Selection.named(request.GET, request.user), request.GET.get("since", "")
    if selection is None or not since.isdecimal() or len(since) > 18:
        raise Http404
    whose = selection.news(request.user)
    newer = count_newer(request.user, whose, int(since), selection.filter)
    version = f"{'-'.join(selection.named_words.values())}-{since}-{newer}"
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = {
        "newer": newer,
        "news_url": request.get_full_path(),
        "news_version": version,
        "queue_url": selection.at().address,
    }
    return versioned(render(request, "queue/list.html#newer", context), version)
