"""Threads that only talk to AWS, a few per source, and the loop that feeds them.

The thread that calls `run` claims and settles, each in a transaction of its own; the
others hold no connection to the database. A source that hangs holds its own lanes and
nobody else's.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from django.db import connection

from approvals.models import CallbackDelivery, Execution, Heartbeat

#: Nothing new is claimed after this long.
BUDGET = timedelta(seconds=10)
#: Then calls under way get this long to end, so that what AWS answers to the last of
#: them is heard: an exchange takes 13 s at most (gateway.EXCHANGE_LIMIT). Budget and
#: grace make 24 s, and Celery's soft limit stands at 25 s. A call that borrows its role
#: first may take 26 s: one that hangs beyond the grace is left to its lease.
GRACE = timedelta(seconds=14)
#: While calls hang, new work is looked for this often.
POLL = timedelta(milliseconds=250)
#: A source whose lanes are full and of which nothing lands for this long hangs.
HANGS_AFTER = timedelta(milliseconds=500)

Item = TypeVar("Item", CallbackDelivery, Heartbeat, Execution)
Said = TypeVar("Said")


class Lanes(Generic[Item, Said]):
    """Runs SEND on THREADS threads, at most PER_SOURCE at once for one source.

    SEND must not raise and must not touch the database.
    """

    def __init__(self, send: Callable[[Item], Said], *, threads: int, per_source: int) -> None:
        self._send: Callable[[Item], Said] = send
        self._threads = threads
        self._per_source = per_source
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="to-aws")
        self._flying: dict[Future[Said], Item] = {}
        self._flying_of: Counter[int] = Counter()
        self._moved_at: dict[int, float] = {}  # time.monotonic() of the last start or landing
        self._waiting: defaultdict[int, deque[Item]] = defaultdict(deque)
        self._open = True

    @property
    def crowded(self) -> list[int]:
        """Sources whose lanes are full: claiming more for them only makes a queue."""
        return [source for source, number in self._flying_of.items() if number >= self._per_source]

    @property
    def hanging(self) -> list[int]:
        """Crowded sources of which nothing has landed for a while."""
        since = time.monotonic() - HANGS_AFTER.total_seconds()
        return [source for source in self.crowded if self._moved_at[source] <= since]

    @property
    def are_jammed(self) -> bool:
        """Whether hanging sources hold every thread: what is claimed now only waits."""
        return sum(self._flying_of[source] for source in self.hanging) >= self._threads

    @property
    def load(self) -> int:
        """What is under way, and what waits for a thread rather than for its own source."""
        crowded = set(self.crowded)
        waiting = sum(len(q) for source, q in self._waiting.items() if source not in crowded)
        return len(self._flying) + waiting

    @property
    def is_empty(self) -> bool:
        return not self._flying

    def put(self, items: Iterable[Item]) -> None:
        for item in items:
            self._waiting[item.source_id].append(item)
        self._take_off()

    def landed(self, timeout: timedelta) -> list[tuple[Item, Said]]:
        """What ended since last asked, waiting up to TIMEOUT for the first."""
        if not self._flying:
            time.sleep(timeout.total_seconds())
        done, _ = wait(self._flying, timeout.total_seconds(), FIRST_COMPLETED)
        landed = [(self._flying.pop(future), future.result()) for future in done]
        self._flying_of.subtract(item.source_id for item, _ in landed)
        self._moved_at.update((item.source_id, time.monotonic()) for item, _ in landed)
        self._take_off()
        return landed

    def recall(self) -> list[Item]:
        """Take back what waits to be sent."""
        waiting = [item for queue in self._waiting.values() for item in queue]
        self._waiting.clear()
        return waiting

    def stop(self) -> None:
        """Start nothing more; what is under way may still land."""
        self._open = False

    def close(self) -> list[Item]:
        """Start nothing more, wait for nothing; return what was never sent."""
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        return self.recall()

    def _take_off(self) -> None:
        for source, queue in self._waiting.items():
            while self._open and queue and self._has_lane(source):
                item = queue.popleft()
                self._flying[self._pool.submit(self._send, item)] = item
                self._flying_of[source] += 1
                self._moved_at[source] = time.monotonic()

    def _has_lane(self, source: int) -> bool:
        return len(self._flying) < self._threads and self._flying_of[source] < self._per_source


@dataclass(frozen=True, slots=True)
class Shift:
    """How a sweep spends its time.

    BUDGET: after it nothing new is claimed or sent. ROOM: how many may be claimed and
    unsettled at once; claimed anew when at least AT_LEAST of them are free. LINGER: how
    long to look on for new work after the last was found.
    """

    budget: timedelta
    room: int
    at_least: int = 1
    linger: timedelta = timedelta(0)


def run(
    lanes: Lanes[Item, Said],
    shift: Shift,
    *,
    claim: Callable[[int, Collection[int]], Sequence[Item]],
    settle: Callable[[Sequence[tuple[Item, Said]]], None],
    watch: Callable[[Lanes[Item, Said]], None] = lambda _: None,
) -> list[Item]:
    """Claim, send and settle until nothing is due or the budget is spent.

    CLAIM(number, crowded sources) leases at most so many items of other sources.
    WATCH(lanes) is called at every turn of the loop, before claiming.
    Returns what was claimed and never sent; what hangs beyond the grace is dropped.
    """
    started = busy_at = time.monotonic()
    deadline = started + shift.budget.total_seconds()
    next_claim_at = started
    try:
        while (now := time.monotonic()) < deadline + GRACE.total_seconds():
            watch(lanes)
            claimed: Sequence[Item] = ()
            free = shift.room - lanes.load
            may_claim = next_claim_at <= now < deadline and not lanes.are_jammed
            if may_claim and free >= shift.at_least:
                claimed = claim(free, lanes.crowded)
                next_claim_at = now if claimed else now + POLL.total_seconds()
            assert not connection.in_atomic_block, "AWS is never asked inside a transaction"
            lanes.put(claimed)
            if now >= deadline:
                lanes.stop()
            if lanes.is_empty and now >= min(deadline, busy_at + shift.linger.total_seconds()):
                break
            if landed := lanes.landed(timedelta(0) if claimed else POLL):
                busy_at = now
                settle(landed)
                if lanes.is_empty:  # what was passed over while its source was full is free
                    next_claim_at = now
    finally:
        unsent = lanes.close()
    return unsent
