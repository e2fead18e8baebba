"""Telling AWS "still waiting". The only writer of heartbeat rows, which the desk creates.

They beat while the request can still be answered: pending, or decided and not yet
settled. The row goes with the wait: the outbox and the desk delete it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from approvals.callbacks import pace, replies, turns
from approvals.callbacks.gateway import Address, Answer, CallbackGateway
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, run
from approvals.clock import database_now
from approvals.keyring import SealBroken
from approvals.lifecycle import desk
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import ApprovalRequest, AuditEvent, Heartbeat
from approvals.states import AuditTag, Reply, Withdrawal

BATCH = 64
PER_SOURCE = 8

CLOSED_AT_AWS = (
    "AWS no longer waits for an answer: the callback timed out, or was answered elsewhere."
)
NOT_FOUND_AT_AWS = (
    "AWS did not know the callback for longer than its heartbeat timeout. "
    "Check the source's region, account and endpoint."
)

Beaten = Sequence[tuple[Heartbeat, Answer]]


def beat_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 16
) -> Counter[str]:
    """Beat for every callback that is due until none is, or BUDGET is spent.

    Returns how often AWS gave which reply. Nothing is done if two workers are beating:
    hanging sources may hold two of the places where tasks run, and no more.
    """
    with turns.turn(turns.BEAT) as mine, turns.stuck() as stuck:
        return _sweep(gateway, stuck, budget, threads) if mine else Counter()


def _sweep(
    gateway: CallbackGateway, stuck: turns.Stuck, budget: timedelta, threads: int
) -> Counter[str]:
    tally: Counter[str] = Counter()

    def settle_landed(landed: Beaten) -> None:
        tally.update(str(answer.reply) for _, answer in landed)
        settle(landed, now=database_now())

    def watch(lanes: Lanes[Heartbeat, Answer]) -> None:
        stuck.tell(lanes.hanging)
        if lanes.are_jammed:  # another sweep may have threads for what waits here
            _give_back(lanes.recall())

    lanes: Lanes[Heartbeat, Answer] = Lanes(
        lambda row: _beat(gateway, row), threads=threads, per_source=PER_SOURCE
    )
    unsent = run(
        lanes,
        Shift(budget, room=BATCH, at_least=BATCH // 2),
        claim=lambda number, crowded: claim(
            number, now=database_now(), crowded=[*crowded, *stuck.everywhere()]
        ),
        settle=settle_landed,
        watch=watch,
    )
    _give_back(unsent)
    return tally


@transaction.atomic(durable=True)
def claim(number: int, *, now: datetime, crowded: Collection[int] = ()) -> list[Heartbeat]:
    """Take up to NUMBER heartbeats that are due, by moving their next beat ahead.

    Rows that another worker holds are skipped. If this worker dies, each has two more
    chances before AWS's timeout: the interval is a third of it.
    """
    due = list(
        Heartbeat.objects.filter(next_beat_at__lte=now)
        .exclude(source__in=list(crowded))
        .select_related("request", "source")
        .defer("request__payload", "request__payload_text", "request__summary")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("next_beat_at")[:number]
    )
    for row in due:
        row.next_beat_at = now + pace.jittered(row.interval)
    Heartbeat.objects.bulk_update(due, ["next_beat_at"])
    return due


def _beat(gateway: CallbackGateway, row: Heartbeat) -> Answer:
    try:
        return gateway.beat(Address.of(row.source), row.request.callback_id)
    except SealBroken:
        return replies.misconfigured("SealBroken", "FIELD_KEYS lacks the key this was sealed with.")
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        return replies.unknown(type(error).__name__, "The portal failed while beating.")


def settle(landed: Beaten, *, now: datetime) -> None:
    """Record what AWS said to each beat; one that stopped meanwhile stays stopped."""
    taken = [row.pk for row, answer in landed if answer.reply == Reply.ACCEPTED]
    if taken:
        _note_taken(taken, now)
    for row, answer in landed:
        if answer.reply == Reply.CLOSED and not answer.not_found:
            _note_closed(row, now)
        elif answer.reply != Reply.ACCEPTED:
            _note_missed(row, answer, now)


@transaction.atomic(durable=True)
def _note_taken(request_ids: list[int], now: datetime) -> None:
    _free(request_ids).update(last_beat_at=now, beats=F("beats") + 1, misses=0, trouble="")


def _free(request_ids: list[int]) -> QuerySet[Heartbeat]:
    """The rows that nobody else is at, locked: waiting for several at once could deadlock.

    Whoever is at a row ends or moves it, so a note that is skipped is not missed.
    """
    rows = Heartbeat.objects.filter(pk__in=request_ids)
    locked = rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    return Heartbeat.objects.filter(pk__in=list(locked))


@transaction.atomic(durable=True)
def _note_closed(row: Heartbeat, now: datetime) -> None:
    _stop(desk.lock(row.pk), CLOSED_AT_AWS, now)


def _stop(request: ApprovalRequest, reason: str, now: datetime) -> None:
    """The wait is over: take the request back or, once decided, just fall silent."""
    if request.is_pending:
        withdraw_locked(request, why=Withdrawal.CLOSED_AT_AWS, reason=reason, at=now)
    Heartbeat.objects.filter(request=request).delete()


@transaction.atomic(durable=True)
def _note_missed(row: Heartbeat, answer: Answer, now: datetime) -> None:
    request = desk.lock(row.pk)
    current = Heartbeat.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if current is None:
        return
    if answer.not_found and _is_past_hope(current, request, now):
        _stop(request, NOT_FOUND_AT_AWS, now)
        return
    current.misses += 1
    current.trouble = answer.detail
    current.next_beat_at = now + _retry(current, answer)
    current.save(update_fields=["misses", "trouble", "next_beat_at"])
    if current.misses == 1:  # once per streak
        AuditEvent.objects.record(
            AuditTag.HEARTBEAT_LOST,
            request,
            at=now,
            reply=str(answer.reply),
            detail=answer.detail,
        )


def _is_past_hope(row: Heartbeat, request: ApprovalRequest, now: datetime) -> bool:
    """Whether a callback that is not found once more has been silent beyond AWS's patience.

    Before that, AWS may only have been asked in the wrong region, or too soon after the
    start; after it, AWS has let the callback time out wherever it is.
    """
    heard_at = row.last_beat_at or request.received_at
    return row.misses > 0 and now - heard_at > row.interval * 3


def _retry(row: Heartbeat, answer: Answer) -> timedelta:
    """A quarter of the interval after the first miss, slower after each, never beyond it."""
    if answer.reply == Reply.REFUSED:
        return pace.jittered(row.interval)
    soon = row.interval / 4 * min(row.misses, 4)
    return min(max(soon, answer.retry_after or timedelta(0)), row.interval)


@transaction.atomic(durable=True)
def _give_back(unsent: Sequence[Heartbeat]) -> None:
    """What was claimed and not sent in time is due at once, for the next sweep."""
    if unsent:
        _free([row.pk for row in unsent]).update(next_beat_at=database_now())
