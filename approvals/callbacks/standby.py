"""Standing by: one worker waits where a decision is heard the moment it is committed.

The one who stands by listens for PostgreSQL's NOTIFY (doorbell.ring) and holds an advisory
lock, so that whoever rings knows that the broker need not be asked. Beat sends another
every few seconds; the newcomer listens first and then relieves the one before, so the place
is never empty. It claims and settles as any sweep does, and the sweeps go on beside it:
with nobody standing by, or deaf, an answer waits for a Celery task or the next sweep.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, OperationalError, connection

from approvals import doorbell
from approvals.callbacks.delivery import Outgoing
from approvals.callbacks.gateway import CallbackGateway
from approvals.callbacks.lanes import BUDGET, GRACE, POLL

#: What falls due by the clock, and was not rung for, is looked for this often.
LOOK_EVERY = timedelta(seconds=1)
#: How long one stands by at most; beat sends the next long before.
STAY = BUDGET
_RELIEF = "relief"


def stand_by(gateway: CallbackGateway, *, stay: timedelta = STAY, threads: int = 8) -> Counter[str]:
    """Send what is owed the moment it is rung for, until relieved or STAY is over.

    Calls then under way are heard to their end. Returns what `delivery.deliver_due` does.
    """
    with Post() as post:
        outgoing = Outgoing(gateway, threads=threads, on_landing=post.wake)
        try:
            _keep(post, outgoing, time.monotonic() + stay.total_seconds())
        finally:
            outgoing.lanes.close()
    return outgoing.tally


def _keep(post: Post, outgoing: Outgoing, deadline: float) -> None:
    lanes = outgoing.lanes
    claim_at = 0.0
    while (now := time.monotonic()) < deadline + GRACE.total_seconds():
        if now >= deadline or lanes.are_jammed:
            post.leave()  # others must hear the bell now
        if post.is_held and now >= claim_at:
            found = outgoing.claim_all()
            claim_at = now if found else now + LOOK_EVERY.total_seconds()
        if not post.is_held and lanes.is_empty:
            break
        rung = post.wait(LOOK_EVERY if lanes.is_empty else POLL)
        landed = lanes.landed(timedelta(0))
        outgoing.settle(landed)
        if rung or (landed and lanes.is_empty):  # what was passed over may go now
            claim_at = 0.0


class Post:
    """The place of the one who stands by, held until relieved.

    Entering takes it, from whoever has it; `is_held` is false if they do not let go.
    """

    def __init__(self) -> None:
        self.is_held = False
        self._landing, self._ear = socket.socketpair()
        self._landing.setblocking(False)
        self._ear.setblocking(False)

    def __enter__(self) -> Self:
        self._ask(f"LISTEN {doorbell.ANSWERS_CHANNEL}")
        self.is_held = self._take() or self._relieve()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._landing.close()
        self._ear.close()
        if connection.connection is not None and not connection.connection.closed:
            self.leave()
            self._ask(f"UNLISTEN {doorbell.ANSWERS_CHANNEL}")

    def leave(self) -> None:
        """Let go: from now on rings go to the broker, or to the next who stands by."""
        if self.is_held:
            self.is_held = False
            self._ask("SELECT pg_advisory_unlock(%s)", doorbell.STANDING_BY)

    def wake(self) -> None:
        """End `wait`, from any thread."""
        with suppress(OSError):  # full: it wakes anyway; closed: nobody waits
            self._landing.send(b".")

    def wait(self, timeout: timedelta) -> bool:
        """Sleep until rung, woken or relieved, at most TIMEOUT; whether it was rung."""
        database: Any = connection.connection
        ready, _, _ = select.select([database, self._ear], [], [], timeout.total_seconds())
        if self._ear in ready:
            self._ear.recv(4096)
        # Not only if its socket is ready: some may have come along with other answers.
        notes = list(database.notifies(timeout=0))
        if any(note.payload == _RELIEF and note.pid != _pid(database) for note in notes):
            self.leave()
        return any(note.payload != _RELIEF for note in notes)

    def _take(self) -> bool:
        return self._ask("SELECT pg_try_advisory_lock(%s)", doorbell.STANDING_BY)

    def _relieve(self) -> bool:
        self._ask("SELECT pg_notify(%s, %s)", doorbell.ANSWERS_CHANNEL, _RELIEF)
        try:
            self._ask("SELECT pg_advisory_lock(%s)", doorbell.STANDING_BY)
        except OperationalError:  # lock_timeout: they do not hear, or cannot leave
            return False
        return True

    def _ask(self, sql: str, *values: object) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)  # type: ignore[arg-type]
            return bool(cursor.description and cursor.fetchone()[0])


def relieve_all() -> None:
    """Whoever stands by, on any host, goes home: a worker shuts down. Beat sends the next."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [doorbell.ANSWERS_CHANNEL, _RELIEF])
    connection.close()  # of the thread that says so


def _pid(database: Any) -> int:
    pid: int = database.info.backend_pid
    return pid
