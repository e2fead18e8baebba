"""The bell: wake a worker now. Losing a ring costs one sweep of latency, never an answer.

Task names live here, on the ground floor, so that whoever rings needs no import of
the tasks. A ring carries nothing: the worker finds its work in the database.

Answers owed to AWS are rung for by PostgreSQL's NOTIFY, which the worker that stands by
(callbacks/standby) hears in a fraction of a millisecond; a message to the broker is sent
only if nobody stands by.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Lock

import structlog
from celery import current_app
from django.db import Error, connection, transaction

from approvals import turns

DELIVER_CALLBACKS = "approvals.deliver_callbacks"
SEND_HEARTBEATS = "approvals.send_heartbeats"
EXPIRE_REQUESTS = "approvals.expire_requests"
SEND_NOTICES = "approvals.send_notices"
SEND_QUESTIONS = "approvals.send_questions"
LOOK_AT_EXECUTIONS = "approvals.look_at_executions"
READ_HISTORIES = "approvals.read_histories"
SEAL_HISTORY = "approvals.seal_history"
CLEAR_SESSIONS = "approvals.clear_sessions"
COUNT_EVENTS = "approvals.count_events"
INDEX_REQUESTS = "approvals.index_requests"

STAND_BY = "approvals.stand_by"

#: NOTIFY's channel; turns.STANDING_BY is held by who listens there.
ANSWERS_CHANNEL = "countersign_answers"

#: A look at executions is due a second after its ring, and who comes for one lingers for
#: longer than that (callbacks/executions): so a ring this soon after another is not needed.
SELDOM = {LOOK_AT_EXECUTIONS: timedelta(milliseconds=400)}

#: After a failed ring nobody rings for this long: a frozen broker costs one reviewer
#: half a second once, not every reviewer half a second every time.
QUIET_AFTER_FAILURE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


class _Bell:
    """Rings, unless a ring has failed a moment ago."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._quiet_until = 0.0  # time.monotonic()
        self._rung_at: dict[str, float] = {}
        self.is_silent = False

    def ring(self, task_name: str) -> None:
        if task_name == DELIVER_CALLBACKS and someone_stands_by():
            return
        now = time.monotonic()
        if self.is_silent or now < self._quiet_until or self._was_rung(task_name, now):
            return
        try:
            current_app.send_task(task_name, expires=10, ignore_result=True)
        except Exception as error:  # noqa: BLE001  kombu raises its transport's own classes
            with self._lock:
                self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE.total_seconds()
            log.warning("bell_unanswered", task=task_name, error=type(error).__name__)

    def _was_rung(self, task_name: str, now: float) -> bool:
        pause = SELDOM.get(task_name)
        if pause is None:
            return False
        with self._lock:
            was_rung = now - self._rung_at.get(task_name, -math.inf) < pause.total_seconds()
            if not was_rung:
                self._rung_at[task_name] = now
        return was_rung


def someone_stands_by() -> bool:
    """Tell whoever stands by that an answer is owed; whether somebody does.

    One statement, after the commit: a NOTIFY inside would make commits wait for each other.
    Nor is its own commit waited for: a server that crashes forgets who listened, too.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock_shared(%s), pg_notify(%s, ''),"
                " set_config('synchronous_commit', 'off', true)",
                [turns.STANDING_BY, ANSWERS_CHANNEL],
            )
            return not cursor.fetchone()[0]
    except Error:  # an InterfaceError too: a connection that is gone tells nobody
        return False


_bell = _Bell()


def ring(task_name: str) -> None:
    """Have TASK_NAME done now, once the open transaction commits.

    Never raises and never takes longer than the broker connection's own timeouts
    (0.5 s to connect, 0.5 s to write; portal.settings).
    """
    transaction.on_commit(partial(_bell.ring, task_name), robust=True)


@contextmanager
def silence() -> Iterator[None]:
    """Ask nothing of the broker meanwhile, from any thread: this process comes by itself."""
    _bell.is_silent = True
    try:
        yield
    finally:
        _bell.is_silent = False
