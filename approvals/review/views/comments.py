"""Presses in the thread: comment, or ask the requester. One verb of the desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from approvals import lifecycle
from approvals.errors import AlreadyClosed, InvalidFields, NotAReviewer
from approvals.models import ApprovalRequest
from approvals.review.forms import CommentForm
from approvals.review.page import find, page_context, panel_version
from approvals.review.views.answers import ReviewerRequest, answer, see_other, signed_in
from approvals.review.views.requests import PAGE
from approvals.review.words import listed_names


@require_POST
@signed_in
def comment(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """303 (the thread for htmx) said, 409 a question that came too late, 422 mend the text.

    403 for a request they may only read, 404 for one they may not see.
    """
    approval = find(request.user, public_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _thread(request, public_id, form, status=422)
    try:
        done = lifecycle.comment(
            approval.pk,
            author=request.user,
            text=form.cleaned_data["text"],
            asks_requester=form.cleaned_data["ask"],
        )
    except InvalidFields as refusal:
        form.mend(refusal.fields)
        return _thread(request, public_id, form, status=422)
    except NotAReviewer as refusal:
        return _thread(request, public_id, form, status=403, comment_refused=str(refusal))
    except AlreadyClosed as refusal:
        return _thread(request, public_id, form, status=409, comment_refused=str(refusal))
    return _said(request, approval, done.not_told, asked=form.cleaned_data["ask"])


def _said(
    request: ReviewerRequest, approval: ApprovalRequest, not_told: list[str], *, asked: bool
) -> HttpResponse:
    words = _("Your question is written down.") if asked else _("Your comment is written down.")
    untold = ""
    if not_told:
        names = listed_names([f"@{name}" for name in not_told])
        untold = ngettext(
            "%(names)s cannot see this request and was not told.",
            "%(names)s cannot see this request and were not told.",
            len(not_told),
        ) % {"names": names}
    if request.htmx:
        told = {"commented": words, "untold": untold}
        return _thread(request, approval.public_id, CommentForm(), status=200, **told)
    if untold:
        messages.warning(request, untold)
    return see_other(f"{approval.get_absolute_url()}#thread")


def _thread(
    request: ReviewerRequest, public_id: UUID, form: CommentForm, *, status: int, **told: Any
) -> HttpResponse:
    """The page, or its thread for htmx, as the request stands now."""
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    context = page_context(find(request.user, public_id), request.user, now)
    told |= {"version": version, "comment_form": form}
    return answer(request, PAGE, context | told, fragment="said", status=status)
