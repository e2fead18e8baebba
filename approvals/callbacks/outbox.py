"""Answers owed to AWS: claim, (send,) settle. Only a redrive is elsewhere.

    pending --accepted----------------> delivered
       |-----unavailable--------------> pending        later, until the callback expires
       |-----closed-------------------> undeliverable  no attempt of ours can have been taken
       |-----closed, unknown before---> unconfirmed    perhaps an attempt of ours was taken
       |                                   `--accepted, said late--> delivered
       `-----refused------------------> undeliverable  -> lifecycle.redrive: pending again
                                           `--accepted, said late--> delivered

An attempt is written down before it is sent. One that is never settled, because its
worker died, is found by the next claim: it too may have been taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from approvals.callbacks import executions, pace
from approvals.callbacks.claim import IN_FLIGHT_PER_SOURCE, claim_next
from approvals.callbacks.gateway import Answer
from approvals.lifecycle import desk
from approvals.lifecycle.writing import refuse_outer_transaction
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Heartbeat
from approvals.models.sql import Prepared, partial
from approvals.states import AuditTag, DeliveryState, Reply

__all__ = ["IN_FLIGHT_PER_SOURCE", "claim_next", "confirm", "give_back", "settle"]

_TAGS = {
    DeliveryState.PENDING: AuditTag.DELIVERY_RETRYING,
    DeliveryState.DELIVERED: AuditTag.DELIVERED,
    DeliveryState.UNDELIVERABLE: AuditTag.UNDELIVERABLE,
    DeliveryState.UNCONFIRMED: AuditTag.UNCONFIRMED,
}

# All that `settle` reads or saves: what is missing here would be read by a statement more.
_STANDING = ("id", "request_id", "state", "attempts", "in_flight", "unknown_attempt",
             "last_reply", "give_up_at", "next_attempt_at", "settled_at")  # fmt: skip

# The lock order of the house in one statement: the request, then its delivery.
_LOCK_BOTH = Prepared(f"""
    WITH r AS (
        SELECT id, public_id FROM approvals_approvalrequest
         WHERE id = %(request)s::bigint FOR NO KEY UPDATE
    )
    SELECT clock_timestamp(), r.public_id, {", ".join(f"d.{name}" for name in _STANDING)}
      FROM r JOIN approvals_callbackdelivery d ON d.request_id = r.id
       FOR NO KEY UPDATE OF d
""")  # noqa: S608  # nosec B608


@transaction.atomic(durable=True)
def settle(
    claimed: CallbackDelivery, answer: Answer, *, now: datetime | None = None
) -> DeliveryState | None:
    """Record the ANSWER to the attempt that CLAIMED stands for, heard at NOW.

    NOW is the database's clock unless given.

    Returns where the delivery then stands; None, and nothing is written, if the lease
    ran out and a later attempt has overtaken this one. Only that AWS took the answer
    is a fact however late it comes: every attempt says the same bytes.
    """
    clock, request, delivery = _lock_both(claimed.request_id)
    now = now or clock
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
    return answer.reply == Reply.ACCEPTED and delivery.state != DeliveryState.DELIVERED


def _lock_both(request_id: int) -> tuple[datetime, ApprovalRequest, CallbackDelivery]:
    """The time by the database, and both rows locked, with what settling takes of them."""
    row = _LOCK_BOTH.row(request=request_id)
    if row is None:
        raise CallbackDelivery.DoesNotExist
    clock, public_id, *columns = row
    request = partial(ApprovalRequest, {"id": request_id, "public_id": public_id})
    return clock, request, partial(CallbackDelivery, dict(zip(_STANDING, columns, strict=True)))


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
        can_tell = executions.look_soon(delivery.request_id, now=now)
        if state is DeliveryState.UNCONFIRMED and not can_tell:
            untold = gettext_noop("No execution is known whose history could tell.")
            delivery.detail = f"{delivery.detail} {untold}"[:300]


# What the claim found out about the attempt before stays: only this one was never made.
_GIVE_BACK = Prepared("""
    UPDATE approvals_callbackdelivery d
       SET in_flight = FALSE,
           next_attempt_at = coalesce(%(now)s::timestamptz, statement_timestamp())
      FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS u (id, attempts)
     WHERE d.id = u.id AND d.attempts = u.attempts AND d.in_flight
    RETURNING d.id
""")


def give_back(unsent: Sequence[CallbackDelivery], *, now: datetime | None = None) -> None:
    """What was claimed and never sent is due at once (NOW: the database's clock), for anybody.

    Its attempt keeps its number, and is not one that AWS may have taken. One whose lease
    ran out, and that a later attempt has overtaken, is left alone.
    """
    if unsent:
        refuse_outer_transaction()
        _GIVE_BACK.rows(
            now=now, ids=[row.pk for row in unsent], attempts=[row.attempts for row in unsent]
        )


@transaction.atomic(durable=True)
def confirm(
    delivery_id: int,
    state: DeliveryState,
    detail: str,
    *,
    now: datetime,
    at: datetime | None = None,
) -> bool:
    """Settle an unconfirmed delivery by the execution's history, or note why it cannot be.

    STATE is DELIVERED or UNDELIVERABLE, since AT by AWS's clock, or UNCONFIRMED still. False,
    and nothing is written, where it is no longer unconfirmed: an answer of AWS that came
    late was faster. What a history says of an end is true for good, however long ago it
    was read.
    """
    owed = CallbackDelivery.objects.only("request_id").get(pk=delivery_id)
    request = desk.lock(owed.request_id)
    delivery = _lock(delivery_id)
    if delivery.state != DeliveryState.UNCONFIRMED:
        return False
    delivery.detail = detail[:300]
    if state is DeliveryState.UNCONFIRMED:
        delivery.save(update_fields=["detail"])
        return True
    delivery.state = state
    delivery.settled_at = max(delivery.owed_at, min(at or now, now))
    delivery.save(update_fields=["detail", "state", "settled_at"])
    Heartbeat.objects.filter(request=request).delete()
    AuditEvent.objects.record(
        _TAGS[state],
        request,
        at=now,
        attempt=delivery.attempts,
        by="history",
        detail=delivery.detail,
    )
    return True
