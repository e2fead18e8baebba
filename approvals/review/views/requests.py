"""One request: its page, and the panel that is looked at again while it settles."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.presentation import PAGE_OF_ROWS, present_rows
from approvals.review.page import card_context, find, page_context, panel_version
from approvals.review.rows import presentation_of
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned

PAGE = "request/page.html"
_LONGEST_POINTER = 2_000  # characters


@require_safe
@signed_in
def show(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """The page of a request this person may see; 404 for any other."""
    now = timezone.now()
    # The version first: what changes in between is then shown by the next look.
    version = panel_version(request.user, public_id, now)
    context = page_context(find(request.user, public_id), request.user, now)
    return render(request, PAGE, context | {"version": version})


@require_safe
@signed_in
def rows(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """A page of one list of the payload: `at` is its pointer, `from` the first row, 1 and up.

    404 where no such list or row is, or the request is not theirs to see.
    """
    approval = find(request.user, public_id)
    at, first = request.GET.get("at", ""), request.GET.get("from", "1")
    known = len(at) <= _LONGEST_POINTER and first.isascii() and first.isdecimal()
    start = int(first[:9]) - 1 if known else -1
    page = present_rows(approval.payload_text, presentation_of(approval.kind), at, start)
    if page is None:
        raise Http404
    earlier = max(page.start - PAGE_OF_ROWS, 0) + 1 if page.start else None
    later = page.end + 1 if page.end < page.count else None
    context = {"approval": approval, "rows": page, "at": at, "earlier": earlier, "later": later}
    context |= {"first": page.start + 1, "blocks": [page.block], "where": approval.kind.label}
    return render(request, "request/rows.html", context)


@require_safe
@signed_in
def panel(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """Where the request stands; 304 while nothing changed.

    `open` says that a form stands below the panel: its buttons go when the request is
    decided, what was typed stays. `held` says that they are gone for a decision that may yet
    be taken back: then they return. Whoever may decide and has no form gets one.
    """
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = card_context(find(request.user, public_id), request.user, now)
    acts_gone = "held" in request.GET
    form_stands = acts_gone or "open" in request.GET
    context |= {"version": version, "form_stands": form_stands, "acts_gone": acts_gone}
    return versioned(render(request, f"{PAGE}#update", context), version)
