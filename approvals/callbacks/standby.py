"""Standing by: one worker waits where a decision is heard the moment it is committed.

The one who stands by listens for PostgreSQL's NOTIFY (doorbell.ring) and holds an advisory
lock, so that whoever rings knows that the broker need not be asked. Beat sends another
every few seconds; the newcomer listens first and then relieves the one before, as soon as
that one has no call under way, so the place is hardly ever empty. It claims and settles as
any sweep does, and the sweeps go on beside it: with nobody standing by, or deaf, an answer
waits for a Celery task or the next sweep.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, OperationalError, connection

from approvals import doorbell, turns
from approvals.callbacks import outbox
from approvals.callbacks.delivery import Outgoing
from approvals.callbacks.gateway import CallbackGateway
from approvals.callbacks.lanes import BUDGET, GRACE, POLL

#: What falls due by the clock, and was not rung for, is looked for this often.
LOOK_EVERY = timedelta(seconds=1)
#: What was rung for is on the wire before anything else is looked for.
HEAD_START = timedelta(milliseconds=5)
#: How long one stands by at most; beat sends the next long before.
STAY = BUDGET
_RELIEF, _GO_HOME = "relief", "go home"


def stand_by(gateway: CallbackGateway, *, stay: timedelta = STAY, threads: int = 8) -> Counter[str]:
    """Send what is owed the moment it is rung for, until relieved or STAY is over.

    Calls then under way are heard to their end. Returns what `delivery.deliver_due` does.
    Nothing is done if two are at it: who stands by, and one who hears out its calls or
    waits to relieve.
    """
    with turns.turn(turns.STAY) as mine:
        return _stand(gateway, stay, threads) if mine else Counter()


def _stand(gateway: CallbackGateway, stay: timedelta, threads: int) -> Counter[str]:
    outgoing = Outgoing(gateway, threads=threads)
    deadline = time.monotonic() + stay.total_seconds()
    over = Event()
    with ThreadPoolExecutor(1, "settles") as pool, Post() as post:
        settling = pool.submit(_settle, outgoing, post, over, deadline + GRACE.total_seconds())
        try:
            _keep(post, outgoing, settling, deadline)
        finally:
            over.set()
            unsent = outgoing.lanes.close()
            connection.close_if_unusable_or_obsolete()
            outbox.give_back(unsent)
        settling.result()
    return outgoing.tally


def _keep(post: Post, outgoing: Outgoing, settling: Future[None], deadline: float) -> None:
    """Listen and claim; whatever else there is to do is done by others meanwhile."""
    lanes = outgoing.lanes
    look_at = time.monotonic()
    while (now := time.monotonic()) < deadline + GRACE.total_seconds() and not settling.done():
        if post.is_held and post.is_wanted and lanes.is_empty:
            post.leave()  # to the newcomer, who listens already
        if post.is_held and (now >= deadline or lanes.are_jammed):
            post.leave()  # others must hear the bell now, and what was rung for already
            doorbell.ring(doorbell.DELIVER_CALLBACKS)
        if not post.is_held and lanes.is_empty:
            break
        if post.is_held and now >= look_at:
            look_at = now + (POLL if outgoing.claim_all() else LOOK_EVERY).total_seconds()
        until = min(look_at, deadline) if post.is_held else now + POLL.total_seconds()
        heard = post.wait(timedelta(seconds=max(0.0, until - now)))
        if heard.rung and post.is_held:  # the one that was rung for first, and alone
            outgoing.claim_one()
        if heard.rung or heard.landed:  # what was passed over may go now
            look_at = min(look_at, time.monotonic() + HEAD_START.total_seconds())


def _settle(outgoing: Outgoing, post: Post, over: Event, until: float) -> None:
    """Settle what lands, on a thread and a connection of its own.

    To the last call once it is OVER, however it ended, but not beyond UNTIL.
    """
    lanes = outgoing.lanes
    try:
        while not (over.is_set() and (lanes.is_empty or time.monotonic() >= until)):
            if landed := lanes.landed(POLL):
                post.wake()
                outgoing.settle(landed)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Heard:
    """What ended a wait: RUNG for, or calls that LANDED."""

    rung: bool
    landed: bool


class Post:
    """The place of the one who stands by, held until relieved.

    Entering takes it from whoever has it, once they have no call under way; `is_held` is
    false if they do not let go.
    """

    def __init__(self) -> None:
        self.is_held = False
        self.is_wanted = False  # somebody waits for it
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
            self._ask("SELECT pg_advisory_unlock(%s)", turns.STANDING_BY)

    def wake(self) -> None:
        """End `wait`, from any thread."""
        with suppress(OSError):  # full: it wakes anyway; closed: nobody waits
            self._landing.send(b".")

    def wait(self, timeout: timedelta) -> Heard:
        """Sleep until rung, woken or relieved, at most TIMEOUT."""
        database: Any = connection.connection
        ready, _, _ = select.select([database, self._ear], [], [], timeout.total_seconds())
        landed = self._ear in ready and bool(self._ear.recv(4096))
        # Not only if its socket is ready: some may have come along with other answers.
        notes = list(database.notifies(timeout=0))
        told = {note.payload for note in notes if note.pid != _pid(database)}
        self.is_wanted |= _RELIEF in told
        if _GO_HOME in told:
            self.leave()
        return Heard(rung=any(note.payload == "" for note in notes), landed=landed)

    def _take(self) -> bool:
        return self._ask("SELECT pg_try_advisory_lock(%s)", turns.STANDING_BY)

    def _relieve(self) -> bool:
        self._ask("SELECT pg_notify(%s, %s)", doorbell.ANSWERS_CHANNEL, _RELIEF)
        try:
            self._ask("SELECT pg_advisory_lock(%s)", turns.STANDING_BY)
        except OperationalError:  # lock_timeout: they do not hear, or have calls under way
            return False
        return True

    def _ask(self, sql: str, *values: object) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)  # type: ignore[arg-type]
            return bool(cursor.description and cursor.fetchone()[0])


def relieve_all() -> None:
    """Whoever stands by, on any host, goes home: a worker shuts down. Beat sends the next."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [doorbell.ANSWERS_CHANNEL, _GO_HOME])
    connection.close()  # of the thread that says so


def _pid(database: Any) -> int:
    pid: int = database.info.backend_pid
    return pid
