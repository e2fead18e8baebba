"""Asking histories what really happened: callbacks checked, answers confirmed, steps kept.

One worker reads at a time, at most HISTORIES_PER_SECOND pages for one source, sources in
turn. Each reading settles all that hangs on its execution. What cannot be read settles
nothing: it is said so, and asked again ever more seldom.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from approvals import turns
from approvals.callbacks import history, pace
from approvals.callbacks.errands import Errand, claim, has_unconfirmed, pause
from approvals.callbacks.findings import settle_request
from approvals.callbacks.gateway import Address, CallbackGateway
from approvals.callbacks.history import Past
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, run
from approvals.callbacks.rounds import Rounds, heard, keep_pace
from approvals.clock import database_now
from approvals.keyring import SealBroken
from approvals.models import ApprovalRequest, Execution, ExecutionHistory
from approvals.states import Reply, RequestState

#: While people are asked, and nothing else is heard, the history is read this often: an
#: answer given outside the portal shows in nothing else, if no heartbeat is promised.
READ_AGAIN = timedelta(minutes=10)
#: A history that AWS does not know, or does not give, for its own sake alone.
MOST_READS = 12

_ENDS = frozenset({f"Execution{word}" for word in ("Succeeded", "Failed", "TimedOut", "Stopped")})


def read_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 4
) -> Counter[str]:
    """Read the histories that are due until none is, or BUDGET is spent.

    Returns how often AWS gave which reply. Nothing is done if another worker is reading.
    """
    tally: Counter[str] = Counter()
    rounds = Rounds()

    def settle_landed(landed: Sequence[tuple[Errand, Past]]) -> None:
        for errand, past in landed:
            tally[str(past.answer.reply)] += 1
            settle(errand, past, now=database_now())
            heard(errand.source_id, past.answer, now=database_now())

    with turns.turn(turns.READ) as mine:
        if mine:
            lanes: Lanes[Errand, Past] = Lanes(
                lambda errand: _read(gateway, errand), threads=threads, per_source=1
            )
            run(
                lanes,
                Shift(budget, room=threads),
                claim=lambda _, crowded: claim(now=database_now(), crowded=crowded, rounds=rounds),
                settle=settle_landed,
            )
    return tally


def _read(gateway: CallbackGateway, errand: Errand) -> Past:
    began = time.monotonic()

    def keep() -> None:
        nonlocal began
        keep_pace(began, settings.HISTORIES_PER_SECOND)
        began = time.monotonic()

    return history.read(
        gateway,
        Address.of(errand.execution.source),
        errand.execution.arn,
        callback_ids=[name for r in errand.requests if (name := callback_id_of(r))],
        with_results=errand.with_results,
        pause=keep,
    )


def callback_id_of(request: ApprovalRequest) -> str:
    """Its callback ID, or "" where the portal lacks the key it was sealed with."""
    try:
        return request.callback_id
    except SealBroken:
        return ""


def settle(errand: Errand, past: Past, *, now: datetime) -> None:
    """Draw the conclusions from PAST for every request of ERRAND, and keep the steps."""
    for request in errand.requests:
        callback_id = callback_id_of(request)
        settle_request(request, past, callback_id, now=now, with_results=errand.with_results)
    _keep(errand, past, now)


@transaction.atomic(durable=True)
def _keep(errand: Errand, past: Past, now: datetime) -> None:
    execution = errand.execution
    ExecutionHistory.objects.get_or_create(execution=execution)
    row = ExecutionHistory.objects.select_for_update().get(pk=execution.pk)
    if past.answer.reply == Reply.ACCEPTED:
        row.steps, row.is_whole = history.steps(past)
        row.read_at = now
        row.trouble = ""
    else:
        row.trouble = past.answer.detail[:200]
    if row.next_read_at == errand.lease_ends:  # else somebody asked for it meanwhile
        row.next_read_at = _next_read(execution, row.reads, past, now)
    row.save(update_fields=["steps", "is_whole", "read_at", "trouble", "next_read_at"])


def _next_read(execution: Execution, reads: int, past: Past, now: datetime) -> datetime | None:
    """When to read again: soon while something is to come of it, else seldom or never."""
    if has_unconfirmed(execution):
        return None if past.answer.not_found and reads > MOST_READS else now + pause(reads)
    ended = Execution.objects.filter(pk=execution.pk).values_list("ended_at", flat=True).first()
    lags = ended is not None and not any(event.kind in _ENDS for event in past.events)
    if past.answer.reply != Reply.ACCEPTED or lags:
        hopeless = past.answer.reply == Reply.REFUSED or reads >= MOST_READS
        return None if hopeless else now + pause(reads)
    waits = execution.requests.filter(state=RequestState.PENDING).exists()
    return now + pace.jittered(READ_AGAIN) if waits else None
