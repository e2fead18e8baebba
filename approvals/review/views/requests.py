"""One request: its page, alone or beside its list, and what is looked at again while it settles."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.presentation import PAGE_OF_ROWS, present_rows
from approvals.review import openings
from approvals.review.column import column_context
from approvals.review.page import card_context, find, page_context, panel_version
from approvals.review.rows import presentation_of
from approvals.review.selection import Selection
from approvals.review.toast import JUST_DECIDED, just_decided, toast_context
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned
from approvals.review.waiting import BEAT_WORD, pulse_of

PAGE = "request/page.html"
_LONGEST_POINTER = 2_000  # characters


@require_safe
@signed_in
def show(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """The page of a request this person may see; 404 for any other.

    Where the address names a list, it stands beside that; htmx gets the pane alone. That they
    have opened it is noted (`review.openings`), unless it opened by itself after a decision.
    """
    now = timezone.now()
    selection = Selection.named(request.GET, request.user)
    # The version first: what changes in between is then shown by the next look.
    version = panel_version(request.user, public_id, now)
    approval = find(request.user, public_id)
    context = page_context(approval, request.user, now, selection=selection)
    told = {"version": version, "toast": just_decided(request.user, request.GET, now)}
    page = render(request, PAGE, context | told | framed(request, selection, now))
    # Last: what could not be shown was not opened.
    ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    if request.method == "GET" and not ahead and JUST_DECIDED not in request.GET:
        openings.note(approval, request.user, now)
    return page


def framed(request: ReviewerRequest, selection: Selection | None, now: datetime) -> dict[str, Any]:
    """What the page of a request stands in, and what stands there beside it."""
    if selection is None:
        return {"frame": "shell/doc.html"}
    if request.htmx:
        return {"frame": "shell/pane.html", "selection": selection}
    return {"frame": "shell/split.html", **column_context(selection, request.user, now)}


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
    """Where the request stands; 304 while nothing changed, the pulse alone after a beat.

    `open` says that a form stands below the panel: its buttons go when the request is
    decided, what was typed stays. `held` says that they are gone for a decision that may yet
    be taken back: then they return. Whoever may decide and has no form gets one.
    """
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    approval = find(request.user, public_id)
    if _only_beat(request, version) and pulse_of(approval, now):
        told = {"pulse": pulse_of(approval, now), "now": now}
        return versioned(render(request, f"{PAGE}#beat", told), version)
    context = card_context(approval, request.user, now)
    acts_gone = "held" in request.GET
    form_stands = acts_gone or "open" in request.GET
    context |= {"version": version, "form_stands": form_stands, "acts_gone": acts_gone}
    return versioned(render(request, f"{PAGE}#update", context), version)


def _only_beat(request: ReviewerRequest, version: str) -> bool:
    return request.headers.get("HX-PTag", "")[:-BEAT_WORD] == version[:-BEAT_WORD]


@require_safe
@signed_in
def toast(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """How far what was just decided has come; 304 while nothing changed."""
    now = timezone.now()
    version = panel_version(request.user, public_id, now, looks=False)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    told = toast_context(find(request.user, public_id), request.user, now, version)
    return versioned(render(request, f"{PAGE}#toast", {"toast": told}), version)
