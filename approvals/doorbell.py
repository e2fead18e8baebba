"""The bell: wake a worker now. Losing a ring costs one sweep of latency, never an answer.

Task names live here, on the ground floor, so that whoever rings needs no import of
the tasks. A ring carries nothing: the worker finds its work in the database.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from threading import Lock

import structlog
from celery import current_app
from django.db import transaction

DELIVER_CALLBACKS = "approvals.deliver_callbacks"
SEND_HEARTBEATS = "approvals.send_heartbeats"
EXPIRE_REQUESTS = "approvals.expire_requests"
SEND_NOTICES = "approvals.send_notices"
LOOK_AT_EXECUTIONS = "approvals.look_at_executions"
SEAL_HISTORY = "approvals.seal_history"
CLEAR_SESSIONS = "approvals.clear_sessions"
COUNT_EVENTS = "approvals.count_events"

#: After a failed ring nobody rings for this long: a frozen broker costs one reviewer
#: half a second once, not every reviewer half a second every time.
QUIET_AFTER_FAILURE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


class _Bell:
    """Rings, unless a ring has failed a moment ago."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._quiet_until = 0.0  # time.monotonic()

    def ring(self, task_name: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            current_app.send_task(task_name, expires=10, ignore_result=True)
        except Exception as error:  # noqa: BLE001  kombu raises its transport's own classes
            with self._lock:
                self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE.total_seconds()
            log.warning("bell_unanswered", task=task_name, error=type(error).__name__)


_bell = _Bell()


def ring(task_name: str) -> None:
    """Send TASK_NAME to the broker once the open transaction commits.

    Never raises and never takes longer than the broker connection's own timeouts
    (0.5 s to connect, 0.5 s to write; portal.settings).
    """
    transaction.on_commit(partial(_bell.ring, task_name), robust=True)
