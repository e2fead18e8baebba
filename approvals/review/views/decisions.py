"""Presses: decide, undo, claim, release. Each is one verb of the desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from approvals import lifecycle
from approvals.errors import (
    AlreadyClosed,
    AlreadyVoted,
    FourEyes,
    InvalidFields,
    NotAReviewer,
    NothingToUndo,
    NotYourDecision,
    Refusal,
    StalePage,
)
from approvals.models import ApprovalRequest, User
from approvals.review.forms import DecisionForm
from approvals.review.page import find, page_context, panel_version
from approvals.review.selection import Selection
from approvals.review.toast import onward
from approvals.review.views.answers import ReviewerRequest, answer, see_other, signed_in
from approvals.review.views.requests import PAGE, framed
from approvals.states import Channel, Verdict


@require_POST
@signed_in
def decide(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """303 (a fragment for htmx) decided, 409 somebody was first, 422 mend the form.

    What was opened out of a list is followed by the next of that list, unless the person
    has switched that off: 303, or HX-Redirect.

    403 for one they may see but not decide, 404 for one they may not see.
    """
    selection = Selection.named(request.GET, request.user)
    approval = find(request.user, public_id)
    form = DecisionForm(approval, request.POST)
    if not form.is_valid():
        return _card(request, public_id, status=422, form=form)
    try:
        _decide(request.user, approval.pk, form)
    except InvalidFields as refusal:
        form.mend(refusal.fields)
        return _card(request, public_id, status=422, form=form)
    except Refusal as refusal:
        return _refused(request, public_id, refusal, form)
    return _next(request, approval, selection) or _stay(request, approval)


def _next(
    request: ReviewerRequest, approval: ApprovalRequest, selection: Selection | None
) -> HttpResponse | None:
    if selection is None or request.COOKIES.get("next") == "off":
        return None
    address = onward(approval, selection, request.user)
    if not address:
        return None
    if request.htmx:
        return HttpResponse(status=200, headers={"HX-Redirect": address})
    return see_other(address)


def _stay(request: ReviewerRequest, approval: ApprovalRequest) -> HttpResponse:
    if request.htmx:
        return _card(request, approval.public_id, status=200, done=True)
    return see_other(f"{_address(request, approval)}#decision")


def _decide(reviewer: User, request_id: int, form: DecisionForm) -> None:
    verdict = Verdict(form.cleaned_data["verdict"])
    lifecycle.decide(
        request_id,
        verdict=verdict,
        reviewer=reviewer,
        channel=Channel.BROWSER,
        comment=form.said,
        values=form.values,
        edits={} if verdict is Verdict.REJECTED else form.edits,
        seen_sha256=form.cleaned_data["seen"] or None,
        held=True,
    )


@require_POST
@signed_in
def undo(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """303 (a fragment for htmx) taken back, 409 too late, 403 somebody else's decision."""
    approval = find(request.user, public_id)
    try:
        lifecycle.undo(approval.pk, reviewer=request.user)
    except Refusal as refusal:
        return _refused(request, public_id, refusal)
    if not request.htmx:
        messages.success(
            request, _("Taken back. Nothing was sent; decide again when you are ready.")
        )
        return see_other(f"{approval.get_absolute_url()}#decision")
    return _card(request, public_id, status=200, undone=True)


@require_POST
@signed_in
def claim(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """Show others that this person is on it."""
    approval = find(request.user, public_id)
    try:
        lifecycle.claim(approval.pk, reviewer=request.user)
    except Refusal as refusal:
        return _refused(request, public_id, refusal)
    return _claimed(request, public_id)


@require_POST
@signed_in
def release(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """Take one's own claim back; somebody else's stays."""
    lifecycle.release(find(request.user, public_id).pk, reviewer=request.user)
    return _claimed(request, public_id)


def _claimed(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    if request.htmx:
        return _card(request, public_id, status=200, fragment="update", form_stands=True)
    return see_other(_address(request, find(request.user, public_id)))


def _address(request: ReviewerRequest, approval: ApprovalRequest) -> str:
    """The page that was pressed on: alone, or beside its list."""
    selection = Selection.named(request.GET, request.user)
    return f"{approval.get_absolute_url()}{selection.words if selection else ''}"


#: What the desk refused: the status, and how the card words it (_notices.html).
_REFUSALS: dict[type[Refusal], tuple[int, str]] = {
    NotAReviewer: (403, "refused"),
    FourEyes: (403, "refused"),
    AlreadyClosed: (409, "conflict"),
    AlreadyVoted: (409, "conflict"),
    StalePage: (409, "stale"),
    NothingToUndo: (409, "kept"),
    NotYourDecision: (403, "kept"),
}


def _refused(
    request: ReviewerRequest, public_id: UUID, refusal: Refusal, form: DecisionForm | None = None
) -> HttpResponse:
    status, word = _REFUSALS[type(refusal)]
    if form and isinstance(refusal, StalePage):
        form.take_over_edits()
    return _card(request, public_id, status=status, form=form, **{word: str(refusal)})


def _card(
    request: ReviewerRequest,
    public_id: UUID,
    *,
    status: int,
    form: DecisionForm | None = None,
    fragment: str = "answer",
    **told: Any,
) -> HttpResponse:
    """The page, or its card for htmx, as the request stands now."""
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    approval = find(request.user, public_id)
    selection = Selection.named(request.GET, request.user)
    context = page_context(approval, request.user, now, form, selection) | {
        "version": version,
        **framed(request, selection, now),
        **told,
    }
    return answer(request, PAGE, context, fragment=fragment, status=status)
