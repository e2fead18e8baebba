"""An operator's presses on one request: ask others, take it back, force an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals import lifecycle
from approvals.errors import (
    AlreadyClosed,
    AlreadyVoted,
    FourEyes,
    InvalidFields,
    NotAnOperator,
    Refusal,
)
from approvals.lifecycle.desk import closing_sentence
from approvals.models import ApprovalRequest, User
from approvals.models.rights import OPERATE
from approvals.models.sight import seen_by
from approvals.operations.forms import ForceForm, OperateForm, ReassignForm, TakeBackForm
from approvals.operations.requests import desk_of, forms_for
from approvals.operations.views.gate import OperatorRequest, signed_in
from approvals.states import Channel, Verdict

PAGE = "operations/request.html"
_STATUS: dict[type[Refusal], int] = {
    NotAnOperator: 403,
    FourEyes: 403,
    AlreadyClosed: 409,
    AlreadyVoted: 409,
}


@require_safe
@signed_in
def operate(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """The forms about one request: a page, or its block where htmx asks.

    404 for one this person may not see, 403 for one they may see but not operate.
    """
    approval = _find(request, public_id)
    return _page(request, approval, forms_for(approval, request.user))


@require_POST
@signed_in
def reassign(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """303 asked, 422 mend the form, 409 it is over; 403, 404 as `operate`."""
    return _press(request, public_id, ReassignForm.verb)


@require_POST
@signed_in
def take_back(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """303 taken back; all else as `reassign`."""
    return _press(request, public_id, TakeBackForm.verb)


@require_POST
@signed_in
def force(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """303 forced, 403 also for who wants it, 409 also for who voted; all else as `reassign`."""
    return _press(request, public_id, ForceForm.verb)


def _press(request: OperatorRequest, public_id: UUID, verb: str) -> HttpResponse:
    approval = _find(request, public_id)
    forms = forms_for(approval, request.user, verb, request.POST)
    form = forms[verb]
    # What is over is told before the form is mended: no form would do.
    if approval.is_pending and not form.is_valid():
        return _page(request, approval, forms, verb, status=422)
    try:
        said = _do(approval, request.user, form)
    except InvalidFields as refusal:
        form.mend(refusal.fields)
        return _page(request, approval, forms, verb, status=422)
    except Refusal as refusal:
        now_is = _find(request, public_id, acting=False)
        return _page(
            request, now_is, forms, verb, refused=str(refusal), status=_STATUS[type(refusal)]
        )
    messages.success(request, said)
    return _done(request, approval.get_absolute_url())


def _do(approval: ApprovalRequest, operator: User, form: OperateForm) -> str:
    """Walk FORM to the desk; return what was done, in a sentence."""
    if not approval.is_pending:
        raise AlreadyClosed(closing_sentence(approval))
    reason = form.cleaned_data["reason"]
    match form:
        case ReassignForm():
            lifecycle.reassign(
                approval.pk,
                operator=operator,
                to=form.whom,
                instead_of=form.in_place_of,
                reason=reason,
            )
            return _("%(username)s is asked now.") % {
                "username": form.whom.username or form.whom.group
            }
        case ForceForm():
            verdict = Verdict(form.cleaned_data["verdict"])
            lifecycle.force(
                approval.pk,
                verdict=verdict,
                operator=operator,
                reason=reason,
                channel=Channel.BROWSER,
            )
            if verdict is Verdict.APPROVED:
                return _("You forced the answer: approved. AWS is told now.")
            return _("You forced the answer: rejected. AWS is told now.")
    lifecycle.take_back(approval.pk, operator=operator, reason=reason)
    return _("The request is taken back. AWS is told now that it failed.")


def _find(request: OperatorRequest, public_id: UUID, *, acting: bool = True) -> ApprovalRequest:
    """The request; Http404 where it is not seen, PermissionDenied where it is not theirs."""
    rows = seen_by(request.user).select_related("source", "kind")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    if acting and not request.user.rights.may(OPERATE, found.source_id):
        raise PermissionDenied
    return found


def _page(
    request: OperatorRequest,
    approval: ApprovalRequest,
    forms: dict[str, OperateForm],
    verb: str = "",
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "approval": approval,
        "refused": refused,
        "status": status,
        "verb": verb,
        "now": timezone.now(),
        "where": _("Operate"),
    }
    if approval.is_pending:
        context["desk"] = desk_of(approval, request.user, forms)
    template = f"{PAGE}#forms" if "HX-Request" in request.headers else PAGE
    return render(request, template, context, status=status)


def _done(request: OperatorRequest, url: str) -> HttpResponse:
    """Look there: 303, and for htmx, which would swap what a redirect leads to, a load."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=200, headers={"HX-Redirect": url})
    return HttpResponse(status=303, headers={"Location": url})
