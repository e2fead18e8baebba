"""An operator has an undeliverable answer sent again."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import doorbell, policy
from approvals.clock import database_now
from approvals.errors import NotRedrivable
from approvals.lifecycle import desk
from approvals.lifecycle.reason import checked_reason
from approvals.models import AuditEvent, CallbackDelivery, Circuit, User
from approvals.states import AuditTag, DeliveryState


@transaction.atomic(durable=True)
def redrive(delivery_id: int, *, operator: User, reason: str) -> None:
    """Owe AWS an undeliverable answer again, the same bytes, at an operator's word.

    Nothing is sent here: the outbox finds the delivery due.

    Raises:
        NotAnOperator: OPERATOR may not operate the request's source.
        InvalidFields: REASON is missing, too long, or holds a NUL character.
        NotRedrivable: the answer is on its way, was taken, or may have been taken.
    """
    reason = checked_reason(reason, _("Say why the answer is sent again."))
    owed = CallbackDelivery.objects.only("request_id").get(pk=delivery_id)
    request = desk.lock(owed.request_id)
    policy.check_may_operate(request, operator)
    delivery = CallbackDelivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
    if delivery.state != DeliveryState.UNDELIVERABLE:
        raise NotRedrivable(
            _("%(get_state_display)s: there is nothing to send again.")
            % {"get_state_display": delivery.get_state_display()}
        )
    now = database_now()
    delivery.state = DeliveryState.PENDING
    delivery.settled_at = None
    delivery.last_reply = ""  # so that the next reply, whatever it is, enters the history
    delivery.next_attempt_at = now
    delivery.save(update_fields=["state", "settled_at", "last_reply", "next_attempt_at"])
    Circuit.objects.probe_at_once(delivery.source_id, at=now)
    AuditEvent.objects.record(AuditTag.REDRIVEN, request, at=now, actor=operator, reason=reason)
    doorbell.ring(doorbell.DELIVER_CALLBACKS)
