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
from typing import Any

from django.conf import settings
from django.db import transaction

from approvals.callbacks import circuit, executions, pace
from approvals.callbacks.gateway import Answer
from approvals.lifecycle import desk
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    CallbackSource,
    Heartbeat,
)
from approvals.models.sql import Prepared, partial
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


_SENT = ("id", "request_id", "source_id", "verb", "sealed_body", "owed_at", "give_up_at",
         "attempts", "unknown_attempt")  # fmt: skip
_ADDRESS = ("id", "slug", "region", "endpoint_url", "role_arn", "external_id")
_CALLBACK = ("id", "public_id", "callback_sha256", "callback_sealed")

# One statement: what is due, its row locked against other workers; the attempt written
# down, with its lease (one before that nobody settled ended unknown); and what sending takes.
_CLAIM = Prepared(f"""
    WITH full_sources AS (
        SELECT source_id FROM approvals_callbackdelivery
         WHERE in_flight AND next_attempt_at > %(now)s
         GROUP BY source_id HAVING count(*) >= {IN_FLIGHT_PER_SOURCE}
    ), due AS (
        SELECT d.id, d.source_id, d.give_up_at <= %(now)s AS is_last
          FROM approvals_callbackdelivery d
         WHERE d.state = '{DeliveryState.PENDING}' AND d.next_attempt_at <= %(now)s
           AND d.source_id <> ALL (%(crowded)s::bigint[])
           AND d.source_id NOT IN (SELECT source_id FROM full_sources)
           AND (d.give_up_at <= %(now)s OR NOT EXISTS (
                SELECT FROM approvals_circuit c
                 WHERE c.source_id = d.source_id AND c.probe_at > %(now)s))
         ORDER BY d.next_attempt_at LIMIT 1
           FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE approvals_callbackdelivery d
       SET unknown_attempt = d.unknown_attempt OR d.in_flight,
           in_flight = TRUE,
           attempts = d.attempts + 1,
           last_attempt_at = %(now)s,
           next_attempt_at = %(leased_until)s
      FROM due
      JOIN approvals_callbacksource s ON s.id = due.source_id
      LEFT JOIN approvals_circuit c ON c.source_id = due.source_id,
           approvals_approvalrequest r
     WHERE d.id = due.id AND r.id = d.request_id
    RETURNING coalesce(c.failures, 0) > 0, c.probe_at IS NOT NULL AND NOT due.is_last,
              {", ".join(f"d.{name}" for name in _SENT)},
              {", ".join(f"s.{name}" for name in _ADDRESS)},
              {", ".join(f"r.{name}" for name in _CALLBACK)}
""")  # noqa: S608  # nosec B608


def claim_next(*, now: datetime, crowded: Collection[int] = ()) -> CallbackDelivery | None:
    """Lease the delivery that has been due longest, or return None.

    A row that another worker holds is skipped, not waited for, and so are sources that
    are CROWDED, have IN_FLIGHT_PER_SOURCE attempts under way, or a circuit that is open:
    of those, but for a probe, only the last attempt is made. The lease lasts
    DELIVERY_LEASE and ends by itself: whoever dies gives the row back. Request and
    source come with the row, as far as sending it takes.
    """
    passed_over = list(crowded)
    while True:
        claimed, may_be_sent = _claim(now, passed_over)
        if claimed is None or may_be_sent:
            return claimed
        passed_over.append(claimed.source_id)  # another worker was quicker with the probe


@transaction.atomic(durable=True)
def _claim(now: datetime, crowded: list[int]) -> tuple[CallbackDelivery | None, bool]:
    """The delivery now leased; false, and nothing is written, if its probe is not ours."""
    row = _CLAIM.row(now=now, leased_until=now + settings.DELIVERY_LEASE, crowded=crowded)
    if row is None:
        return None, False
    troubled, is_probe, *columns = row
    delivery = _with_its_own(columns)
    if troubled:
        circuit.remember(delivery.source_id)
    if is_probe and not circuit.take_probe(delivery.source_id, now=now):
        transaction.set_rollback(True)
        return delivery, False
    return delivery, True


def _with_its_own(columns: list[Any]) -> CallbackDelivery:
    """The delivery with its source and request, out of the COLUMNS of one row."""
    sent, rest = columns[: len(_SENT)], columns[len(_SENT) :]
    delivery = partial(CallbackDelivery, dict(zip(_SENT, sent, strict=True)))
    address, callback = rest[: len(_ADDRESS)], rest[len(_ADDRESS) :]
    delivery.source = partial(CallbackSource, dict(zip(_ADDRESS, address, strict=True)))
    delivery.request = partial(ApprovalRequest, dict(zip(_CALLBACK, callback, strict=True)))
    return delivery


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
