"""All that falls due, done by one process: no broker, no beat, no worker.

The sweeps and their rhythm are those of beat's schedule. Each comes by on a thread of its
own, so that a source that hangs holds up no other kind of work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connections

from approvals import doorbell
from approvals.callbacks import standby
from portal.celery import app

log = structlog.get_logger(__name__)

#: Seconds. What beat rings for less often than this keeps its own rhythm.
QUICK = 60.0
#: In one round more work may come up for a sweep that has passed: an answer for a deadline.
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Sweep:
    """One task of the schedule, and how many seconds lie between two of its beginnings."""

    name: str
    every: float
    run: Callable[[], object]


def sweeps(every: float | None = None) -> list[Sweep]:
    """All that beat rings for, in the order of its schedule; the quick ones EVERY seconds."""
    app.loader.import_default_modules()
    found = []
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        own = entry["schedule"].run_every.total_seconds()
        period = every if every is not None and own <= QUICK else own
        found.append(Sweep(entry["task"], period, app.tasks[entry["task"]].run))
    return found


def sweep_once(todo: Sequence[Sweep]) -> list[str]:
    """Let each of TODO come by, twice over; return the names of those that failed.

    Nobody stands by: that only waits for what a sweep finds.
    """
    brief = [sweep for sweep in todo if sweep.name != doorbell.STAND_BY]
    with doorbell.silence():
        failed = [sweep.name for _ in range(ROUNDS) for sweep in brief if not _come_by(sweep)]
    return sorted(set(failed))


def keep_sweeping(todo: Sequence[Sweep], stop: Event) -> None:
    """Let each of TODO come by again and again until STOP is set.

    Returns once those under way have ended: what was begun at AWS is written down.
    """
    threads = [Thread(target=_keep, args=(sweep, stop), name=sweep.name) for sweep in todo]
    with doorbell.silence():
        for thread in threads:
            thread.start()
        stop.wait()
        standby.relieve_all()
        for thread in threads:
            thread.join()


def _keep(sweep: Sweep, stop: Event) -> None:
    try:
        while not stop.is_set():
            began = time.monotonic()
            _come_by(sweep)
            stop.wait(max(0.0, began + sweep.every - time.monotonic()))
    finally:
        connections.close_all()


def _come_by(sweep: Sweep) -> bool:
    """Whether SWEEP ended as it should; one that fails holds up no other, nor its next turn."""
    close_old_connections()  # what the database closed meanwhile is not used again
    try:
        sweep.run()
    except Exception:
        log.exception("sweep_failed", task=sweep.name)
        return False
    return True
