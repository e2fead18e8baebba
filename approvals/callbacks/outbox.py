"""Answers owed to AWS: claim, (send,) settle. Only a redrive is elsewhere.

    pending --accepted----------------> delivered
       |-----unavailable--------------> pending        later, until the callback expires
       |-----closed-------------------> undeliverable  no attempt of ours can have been taken
       |-----closed, unknown before---> unconfirmed    perhaps an attempt of ours was taken
       |                                   `--accepted, said late--> delivered
       `-----refused------------------> undeliverable  -> lifecycle.redrive: pending again

An attempt is written down before it is sent. One that is never settled, because its
worker died, is found by the next claim: it too may have been taken.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from approvals.callbacks import executions, pace
from approvals.callbacks.gateway import Answer
from approvals.lifecycle import desk
from approvals.models import AuditEvent, CallbackDelivery, Heartbeat
from approvals.states import AuditTag, DeliveryState, Reply

#: Attempts of one source under way at once, over all workers: a source that hangs
#: holds up its own answers and nobody else's.
IN_FLIGHT_PER_SOURCE = 4

_TAGS = {
    DeliveryState.PENDING: AuditTag.DELIVERY_RETRYING,
    DeliveryState.DELIVERED: AuditTag.DELIVERED,
    DeliveryState.UNDELIVERABLE: AuditTag.UNDELIVERABLE,
    DeliveryState.UNCONFIRMED: AuditTag.UNCONFIRMED,
}


@transaction.atomic(durable=True)
def claim_next(*, now: datetime, crowded: Collection[int] = ()) -> CallbackDelivery | None:
    """Lease the delivery that has been due longest, or return None.

    A row that another worker holds is skipped, not waited for, and so are sources that
    are CROWDED or have IN_FLIGHT_PER_SOURCE attempts under way. The lease lasts
    DELIVERY_LEASE and ends by itself: whoever dies gives the row back. Request and
    source come with the row, so that it can be sent without the database.
    """
    delivery = (
        CallbackDelivery.objects.filter(state=DeliveryState.PENDING, next_attempt_at__lte=now)
        .exclude(source__in=[*crowded, *_full_sources(now)])
        .select_related("request", "source")
        .defer("request__payload", "request__payload_text", "request__summary")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("next_attempt_at")
        .first()
    )
    if delivery is None:
        return None
    delivery.unknown_attempt |= delivery.in_flight  # nobody ever told how that one ended
    delivery.in_flight = True
    delivery.attempts += 1
    delivery.last_attempt_at = now
    delivery.next_attempt_at = now + settings.DELIVERY_LEASE
    delivery.save(update_fields=[
        "unknown_attempt", "in_flight", "attempts", "last_attempt_at", "next_attempt_at",
    ])  # fmt: skip
    return delivery


def _full_sources(now: datetime) -> list[int]:
    under_way = CallbackDelivery.objects.filter(in_flight=True, next_attempt_at__gt=now)
    counted = under_way.values("source").annotate(number=Count("pk"))
    return [row["source"] for row in counted if row["number"] >= IN_FLIGHT_PER_SOURCE]


@transaction.atomic(durable=True)
def settle(claimed: CallbackDelivery, answer: Answer, *, now: datetime) -> DeliveryState | None:
    """Record the ANSWER to the attempt that CLAIMED stands for.

    Returns where the delivery then stands; None, and nothing is written, if the lease
    ran out and a later attempt has overtaken this one. Only that AWS took the answer
    is a fact however late it comes: every attempt says the same bytes.
    """
    request = desk.lock(claimed.request_id)
    delivery = _lock(claimed.pk)
    if not _still_counts(answer, claimed.attempts, delivery):
        return None
    before = delivery.last_reply
    delivery.unknown_attempt |= answer.applied_unknown
    state = _state_after(delivery, answer, now)
    delivery.in_flight = False
    delivery.last_reply = answer.reply
    delivery.detail = answer.detail
    if state is DeliveryState.PENDING:
        later = now + pace.after(answer, delivery.attempts)
        delivery.next_attempt_at = min(later, delivery.give_up_at)
    else:
        _end(delivery, state, answer, now)
    delivery.save(update_fields=[
        "state", "in_flight", "unknown_attempt", "last_reply", "detail", "next_attempt_at",
        "settled_at",
    ])  # fmt: skip
    if state is not DeliveryState.PENDING or before != answer.reply:
        AuditEvent.objects.record(
            _TAGS[state],
            request,
            at=now,
            attempt=claimed.attempts,
            reply=str(answer.reply),
            detail=delivery.detail,
            milliseconds=answer.http_ms,
        )
    return state


def _still_counts(answer: Answer, attempt: int, delivery: CallbackDelivery) -> bool:
    if attempt == delivery.attempts:
        return delivery.in_flight
    overdue = {DeliveryState.PENDING, DeliveryState.UNCONFIRMED}
    return answer.reply == Reply.ACCEPTED and delivery.state in overdue


def _lock(delivery_id: int) -> CallbackDelivery:
    return CallbackDelivery.objects.select_for_update(no_key=True).get(pk=delivery_id)


def _state_after(delivery: CallbackDelivery, answer: Answer, now: datetime) -> DeliveryState:
    closed = DeliveryState.UNCONFIRMED if delivery.unknown_attempt else DeliveryState.UNDELIVERABLE
    match answer.reply:
        case Reply.ACCEPTED:
            return DeliveryState.DELIVERED
        case Reply.CLOSED:
            return closed
        case Reply.REFUSED:
            return DeliveryState.UNDELIVERABLE
    # The last attempt is made when the callback expires (never put off beyond it), and
    # with the callback expired AWS has closed it, whether it says so or not.
    return closed if now >= delivery.give_up_at else DeliveryState.PENDING


def _end(delivery: CallbackDelivery, state: DeliveryState, answer: Answer, now: datetime) -> None:
    delivery.state = state
    delivery.settled_at = now
    if answer.reply == Reply.UNAVAILABLE:
        delivery.detail = f"{answer.detail} The callback has expired; no more attempts."[:300]
    if answer.reply != Reply.REFUSED:  # a refused answer can be mended while AWS waits
        Heartbeat.objects.filter(request=delivery.request_id).delete()
        executions.look_soon(delivery.request_id, now=now)
