"""Sending many answers again: each on its own, each told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from approvals import lifecycle
from approvals.errors import NotAnOperator, NotRedrivable
from approvals.models import CallbackDelivery, User
from approvals.models.rights import OPERATE
from approvals.operations import causes
from approvals.operations.forms import ManyForm
from approvals.operations.views.deliveries import LIST, list_page
from approvals.operations.views.gate import OperatorRequest, for_operators


@require_POST
@for_operators
def redrive_many(request: OperatorRequest) -> HttpResponse:
    """303 with what came of each, 422 nothing picked or no reason, 403 for who only looks."""
    if not request.user.rights.anywhere(OPERATE):
        raise PermissionDenied
    form = ManyForm(request.POST)
    if not form.is_valid():
        return list_page(request, form.cause, many=form, status=422)
    sent, refused = _redrive(
        _meant(form, request.user), operator=request.user, reason=form.cleaned_data["reason"]
    )
    if sent:
        messages.success(
            request,
            ngettext(
                "%(count)s answer is sent again now.", "%(count)s answers are sent again now.", sent
            )
            % {"count": sent},
        )
    for why, count in refused.items():
        messages.warning(
            request,
            ngettext(
                "%(count)s answer is not sent again. %(why)s",
                "%(count)s answers are not sent again. %(why)s",
                count,
            )
            % {"count": count, "why": why},
        )
    if not (sent or refused):
        messages.warning(request, _("There was nothing to send again."))
    address = reverse(LIST) + form.cause.query()
    return HttpResponse(status=303, headers={"Location": address})


def _meant(form: ManyForm, operator: User) -> list[CallbackDelivery]:
    if form.cleaned_data["which"] == ManyForm.Which.CAUSE:
        return causes.undeliverable(form.cause, seen_by=operator)
    return causes.picked(form.public_ids, seen_by=operator)


def _redrive(
    owed: Iterable[CallbackDelivery], *, operator: User, reason: str
) -> tuple[int, Counter[str]]:
    """Each in its own transaction: how many are owed again, and why the others are not."""
    sent, refused = 0, Counter[str]()
    for delivery in owed:
        try:
            lifecycle.redrive(delivery.pk, operator=operator, reason=reason)
        except (NotRedrivable, NotAnOperator) as refusal:
            refused[str(refusal)] += 1
        else:
            sent += 1
    return sent, refused
