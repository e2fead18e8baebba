"""Answers owed to AWS, and sending one again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals import lifecycle
from approvals.errors import InvalidFields, NotAnOperator, NotRedrivable
from approvals.models.rights import OPERATE
from approvals.operations import lists, words
from approvals.operations.causes import Failure, causes
from approvals.operations.forms import ManyForm, RedriveForm
from approvals.operations.views.callbacks import nav
from approvals.operations.views.gate import (
    OperatorRequest,
    check_may_act,
    for_operators,
    place_in,
)
from approvals.states import DeliveryState

LIST = "approvals:operations-deliveries"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a press changed nothing: a form to mend, or a sentence; about one answer."""

    about: lists.OwedAnswer
    form: RedriveForm | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One answer as the page shows it; FORM where it may be sent again."""

    owed: lists.OwedAnswer
    standing: words.Standing
    code: str
    sentence: str
    form: RedriveForm | None
    expired: bool


@require_safe
@for_operators
def deliveries(request: OperatorRequest) -> HttpResponse:
    """What AWS has not taken, then what it took lately."""
    return list_page(request, Failure.read(request.GET.dict()))


@require_POST
@for_operators
def redrive(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """303 it is owed again, 409 it cannot be, 422 no good reason, 403 for who only looks."""
    owed = lists.answer_of(public_id, seen_by=request.user)
    if owed is None:
        raise Http404
    check_may_act(request, owed.source_id)
    form = _form_for(owed, request)
    if not form.is_valid():
        return list_page(request, Failure(), Trouble(owed, form), status=422)
    try:
        lifecycle.redrive(owed.pk, operator=request.user, reason=form.cleaned_data["reason"])
    except InvalidFields as refusal:
        for name, why in refusal.fields.items():
            form.add_error(name, why)
        return list_page(request, Failure(), Trouble(owed, form), status=422)
    except NotRedrivable as refusal:
        return list_page(request, Failure(), Trouble(owed, sentence=str(refusal)), status=409)
    except NotAnOperator as refusal:  # the right went between the look and the press
        raise PermissionDenied from refusal
    messages.success(
        request, _("The answer to “%(title)s” is sent again now.") % {"title": owed.request.title}
    )
    return HttpResponse(status=303, headers={"Location": reverse(LIST)})


def list_page(
    request: OperatorRequest,
    cause: Failure,
    trouble: Trouble | None = None,
    *,
    many: ManyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with all that was refused in it; MANY: the form for sending many again."""
    now = timezone.now()
    page, taken = lists.answers(place_in(request), seen_by=request.user, cause=cause)
    stuck = list(page.rows)
    if trouble and trouble.form and trouble.about.pk not in {owed.pk for owed in stuck}:
        stuck.insert(0, trouble.about)
    figures = lists.figures(now, seen_by=request.user)
    rights = request.user.rights
    lines = [
        _line(owed, now, trouble, may_act=rights.may(OPERATE, owed.source_id)) for owed in stuck
    ]
    context = {
        "stuck": lines,
        "may_send": sum(line.form is not None for line in lines),
        "taken": [_line(owed, now, None, may_act=False) for owed in taken],
        "next_url": reverse(LIST) + cause.query(after=page.next) if page.next else "",
        "first_url": reverse(LIST) + cause.query(),
        "cause": cause,
        "causes": causes(seen_by=request.user),
        "many": many or ManyForm(cause=cause),
        "later_page": "after" in request.GET,
        "trouble": trouble,
        "now": now,
        "figures": figures,
        "nav": nav(figures, "deliveries"),
        "where": _("Deliveries"),
    }
    return render(request, "operations/deliveries.html", context, status=status)


def _line(owed: lists.OwedAnswer, now: datetime, trouble: Trouble | None, *, may_act: bool) -> Line:
    code, sentence = words.answer_of_aws(owed)
    form = None
    if may_act and owed.state == DeliveryState.UNDELIVERABLE:
        mine = trouble is not None and trouble.about.pk == owed.pk
        form = (trouble.form if mine and trouble else None) or _form_for(owed)
    return Line(owed, words.standing(owed), code, sentence, form, now >= owed.give_up_at)


def _form_for(owed: lists.OwedAnswer, request: OperatorRequest | None = None) -> RedriveForm:
    return RedriveForm(request.POST if request else None, auto_id=f"redrive-{owed.pk}-%s")
