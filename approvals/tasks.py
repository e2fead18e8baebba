"""What workers do: one sweep each, named in approvals.doorbell. No logic here.

Each task looks for its work in the database, so running it twice, late or beside
itself is harmless. Each ends by saying that it came by, how long it took and what it
met: that is how readiness knows that a worker lives, and what /metrics tells.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from threading import Thread
from typing import Any

from celery import shared_task, signals

from approvals import doorbell, ledger, lifecycle
from approvals.callbacks import checking, delivery, executions, heartbeats, standby
from approvals.callbacks.aws import LambdaGateway
from approvals.clock import database_now
from approvals.models import Session, SweepMark, counting, indexing
from approvals.notices import outbox as notices
from approvals.notices import questions
from approvals.states import Reply

#: With fewer places whoever stands by would keep heartbeats and clocks waiting: then the
#: broker is rung for each answer, as it is while nobody stands by.
ENOUGH_TO_STAND_BY = 3
_places = ENOUGH_TO_STAND_BY

_REPLIES = frozenset(map(str, Reply))
_TIMINGS = frozenset({"on_time", "late"})


@lru_cache(maxsize=1)
def gateway() -> LambdaGateway:
    """This process's way to AWS; made at first use, never before a worker forks."""
    return LambdaGateway()


@shared_task(name=doorbell.DELIVER_CALLBACKS)
def deliver_callbacks() -> None:
    _sweep(
        doorbell.DELIVER_CALLBACKS,
        lambda: delivery.deliver_due(gateway()),
        calls="delivery_attempts",
    )


@signals.worker_init.connect
def _count_places(sender: Any, **_signal: Any) -> None:
    """How many tasks this worker does at once; told before its processes fork."""
    global _places  # noqa: PLW0603 - a fact of the process, as the gateway is
    _places = sender.concurrency if isinstance(sender.concurrency, int) else ENOUGH_TO_STAND_BY


@shared_task(name=doorbell.STAND_BY)
def stand_by() -> None:
    """One place is taken all the time: a worker with few of them has none to spare."""
    may = _places >= ENOUGH_TO_STAND_BY
    _sweep(
        doorbell.STAND_BY,
        lambda: standby.stand_by(gateway(), stay=standby.STAY) if may else 0,
        calls="delivery_attempts",
    )


@signals.worker_shutting_down.connect
def _send_home(**_signal: Any) -> None:
    """Who stands by need not be waited for. On a thread, as the database may be gone first."""
    Thread(target=standby.relieve_all, daemon=True).start()


@shared_task(name=doorbell.SEND_HEARTBEATS)
def send_heartbeats() -> None:
    _sweep(doorbell.SEND_HEARTBEATS, lambda: heartbeats.beat_due(gateway()), calls="beats")


@shared_task(name=doorbell.EXPIRE_REQUESTS)
def expire_requests() -> None:
    _sweep(doorbell.EXPIRE_REQUESTS, lambda: lifecycle.strike_due(now=database_now()))


@shared_task(name=doorbell.SEND_NOTICES)
def send_notices() -> None:
    _sweep(doorbell.SEND_NOTICES, lambda: notices.send_due(now=database_now()))


@shared_task(name=doorbell.SEND_QUESTIONS)
def send_questions() -> None:
    _sweep(doorbell.SEND_QUESTIONS, lambda: questions.send_due(now=database_now()))


@shared_task(name=doorbell.LOOK_AT_EXECUTIONS)
def look_at_executions() -> None:
    _sweep(doorbell.LOOK_AT_EXECUTIONS, lambda: executions.look_due(gateway()), calls="looks")


@shared_task(name=doorbell.READ_HISTORIES)
def read_histories() -> None:
    _sweep(doorbell.READ_HISTORIES, lambda: checking.read_due(gateway()), calls="history_reads")


@shared_task(name=doorbell.SEAL_HISTORY)
def seal_history() -> None:
    _sweep(doorbell.SEAL_HISTORY, lambda: ledger.seal_due(now=database_now()))


@shared_task(name=doorbell.CLEAR_SESSIONS)
def clear_sessions() -> None:
    _sweep(doorbell.CLEAR_SESSIONS, lambda: Session.objects.clear_expired(now=database_now()))


@shared_task(name=doorbell.COUNT_EVENTS)
def count_events() -> None:
    _sweep(doorbell.COUNT_EVENTS, counting.count_events)


@shared_task(name=doorbell.INDEX_REQUESTS)
def index_requests() -> None:
    _sweep(doorbell.INDEX_REQUESTS, indexing.index_requests)


def _sweep(name: str, work: Callable[[], Counter[str] | int], *, calls: str = "") -> None:
    """Do WORK, then write down in one statement that NAME came by and what it met.

    What AWS replied is counted as CALLS. Work that fails leaves no sign of life.
    """
    began = time.monotonic()
    found = work()
    seconds = time.monotonic() - began
    if isinstance(found, int):
        SweepMark.objects.finished(name, found=found, seconds=seconds)
        return
    replies = {(calls, word): float(n) for word, n in found.items() if word in _REPLIES}
    timings = {(f"{calls}_timed", word): float(n) for word, n in found.items() if word in _TIMINGS}
    number = int(sum(replies.values())) or found.total()
    SweepMark.objects.finished(name, found=number, seconds=seconds, counts=replies | timings)
