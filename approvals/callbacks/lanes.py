"""Threads that only talk to AWS, a few per source, and the loop that feeds them.

The thread that calls `run` claims and settles, each in a transaction of its own; the
others hold no connection to the database. A source that hangs holds its own lanes and
nobody else's.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from typing import Generic, TypeVar

import structlog
from django.db import Error, connection

from approvals.callbacks.beats import Beat
from approvals.callbacks.errands import Errand
from approvals.models import CallbackDelivery, Execution

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
#: An answer within this is prompt: it earns a source one lane more.
PROMPT = timedelta(seconds=2)
#: What PostgreSQL did not take down is tried again after this long, and for so long: a
#: restart, a lock that is held. Longer, and the lease or the next beat has to mend it.
TRY_AGAIN = timedelta(milliseconds=500)
TRY_FOR = timedelta(seconds=10)

log = structlog.get_logger(__name__)

Item = TypeVar("Item", CallbackDelivery, Beat, Execution, Errand)
Said = TypeVar("Said")


class Lanes(Generic[Item, Said]):
    """Runs SEND on THREADS threads, at most PER_SOURCE at once for one source.

    With WIDEST, a source that answers promptly gets one lane more for each answer, up to so
    many, and is back at PER_SOURCE with the first answer that takes long: what has not
    shown that it answers may hold up few threads. SEND must not raise and must not touch
    the database.
    """

    def __init__(
        self,
        send: Callable[[Item], Said],
        *,
        threads: int,
        per_source: int,
        widest: int | None = None,
    ) -> None:
        self._send: Callable[[Item], Said] = send
        self._threads = threads
        self._per_source = per_source
        self._widest = widest or per_source
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="to-aws")
        self._news = Condition()  # guards all that follows
        self._waiting: dict[int, deque[Item]] = {}  # sources take turns in this order
        self._flying = 0
        self._flying_of: Counter[int] = Counter()
        self._lanes_of: dict[int, int] = {}
        self._moved_at: dict[int, float] = {}  # time.monotonic() of the last start or landing
        self._landed: list[tuple[Item, Said]] = []
        self._again: list[tuple[float, Item, Said]] = []  # when to try to settle them again
        self._tried_since: dict[int, tuple[float, Item]] = {}  # by id(), so the item is kept
        self._failure: BaseException | None = None
        self._enough = 1  # landed calls that are worth waking the feeding thread for
        self._open = True

    @property
    def crowded(self) -> list[int]:
        """Sources whose lanes are full: claiming more for them only makes a queue."""
        with self._news:
            return self._crowded()

    @property
    def hanging(self) -> list[int]:
        """Crowded sources of which nothing has landed for a while."""
        with self._news:
            return self._hanging()

    @property
    def are_jammed(self) -> bool:
        """Whether no thread has come free for a while: what is claimed now only waits.

        Whichever sources hold them: a few calls of many hang as surely as many of one.
        """
        with self._news:
            is_full = self._flying >= self._threads
            return is_full and max(self._moved_at.values()) <= _a_while_ago()

    @property
    def load(self) -> int:
        """What is under way, and what waits for a thread rather than for its own source."""
        with self._news:
            crowded = set(self._crowded())
            waiting = sum(len(q) for source, q in self._waiting.items() if source not in crowded)
            return self._flying + waiting

    @property
    def is_empty(self) -> bool:
        with self._news:
            return self._is_still and not self._landed and not self._again

    def room(self, ahead: int) -> dict[int, int]:
        """Of each source known here: how many more it may get, so that AHEAD wait per lane."""
        with self._news:
            known = self._flying_of.keys() | self._waiting.keys()
            return {source: max(0, self._room(source, ahead)) for source in known}

    def put(self, items: Iterable[Item]) -> None:
        with self._news:
            for item in items:
                self._waiting.setdefault(item.source_id, deque()).append(item)
            self._take_off()

    def landed(
        self, timeout: timedelta, *, gather: timedelta = timedelta(0), enough: int = 1
    ) -> list[tuple[Item, Said]]:
        """What ended since last asked, waiting up to TIMEOUT for the first.

        And up to GATHER more for others, until they are ENOUGH or nothing is under way.

        Raises:
            BaseException: what a SEND raised although it must not.
        """
        with self._news:
            self._enough = 1
            self._land_again()
            self._news.wait_for(lambda: self._landed or self._failure, timeout.total_seconds())
            self._enough = enough
            if self._landed:
                self._news.wait_for(lambda: self._is_worth_telling, gather.total_seconds())
            if self._failure:
                raise self._failure
            landed, self._landed = self._landed, []
            return landed

    def try_again(self, unsettled: Iterable[tuple[Item, Said]]) -> None:
        """Let what could not be settled land once more, a little later, for TRY_FOR at most."""
        with self._news:
            now = time.monotonic()
            for item, said in unsettled:
                since, _ = self._tried_since.setdefault(id(item), (now, item))
                if now - since < TRY_FOR.total_seconds():
                    self._again.append((now + TRY_AGAIN.total_seconds(), item, said))

    def recall(self, sources: Collection[int] | None = None) -> list[Item]:
        """Take back what waits to be sent, for SOURCES or for all."""
        with self._news:
            recalled = [s for s in self._waiting if sources is None or s in sources]
            return [item for source in recalled for item in self._waiting.pop(source)]

    def stop(self) -> None:
        """Start nothing more; what is under way may still land."""
        with self._news:
            self._open = False

    def close(self) -> list[Item]:
        """Start nothing more, wait for nothing; return what was never sent."""
        self.stop()
        self._pool.shutdown(wait=False)
        return self.recall()

    def _fly(self, item: Item | None) -> None:
        """A thread's life: send ITEM and then whatever waits, until nothing may take off."""
        while item is not None:
            began = time.monotonic()
            try:
                said = self._send(item)
            except BaseException as error:  # noqa: BLE001 - raised by landed(), where it is heard
                with self._news:
                    self._failure = error
                    self._news.notify()
                return
            with self._news:
                self._land(item, said, time.monotonic() - began)
                item = self._next()
                self._take_off()  # a source that got a lane more
                if self._is_worth_telling:
                    self._news.notify()

    # All below: with self._news held.

    @property
    def _is_still(self) -> bool:
        return not self._flying

    @property
    def _is_worth_telling(self) -> bool:
        return len(self._landed) >= self._enough or self._is_still or bool(self._failure)

    def _crowded(self) -> list[int]:
        return [s for s, number in self._flying_of.items() if number >= self._limit(s)]

    def _hanging(self) -> list[int]:
        since = _a_while_ago()
        return [source for source in self._crowded() if self._moved_at[source] <= since]

    def _limit(self, source: int) -> int:
        return self._lanes_of.get(source, self._per_source)

    def _room(self, source: int, ahead: int) -> int:
        waiting = len(self._waiting.get(source, ()))
        return self._limit(source) * (1 + ahead) - self._flying_of[source] - waiting

    def _land(self, item: Item, said: Said, seconds: float) -> None:
        source = item.source_id
        self._flying -= 1
        self._flying_of[source] -= 1
        self._moved_at[source] = time.monotonic()
        is_prompt = seconds < PROMPT.total_seconds()
        wider = min(self._limit(source) + 1, self._widest) if is_prompt else self._per_source
        self._lanes_of[source] = wider
        self._landed.append((item, said))

    def _take_off(self) -> None:
        while (item := self._next()) is not None:
            self._pool.submit(self._fly, item)

    def _land_again(self) -> None:
        now = time.monotonic()
        self._landed += [(item, said) for at, item, said in self._again if at <= now]
        self._again = [row for row in self._again if row[0] > now]

    def _next(self) -> Item | None:
        """What may be sent now, of the source that has waited longest for its turn."""
        if not self._open or self._flying >= self._threads:
            return None
        for source, queue in self._waiting.items():
            if queue and self._flying_of[source] < self._limit(source):
                self._waiting[source] = self._waiting.pop(source)  # the others come first now
                self._flying += 1
                self._flying_of[source] += 1
                self._moved_at[source] = time.monotonic()
                return queue.popleft()
        return None


def _a_while_ago() -> float:
    return time.monotonic() - HANGS_AFTER.total_seconds()


@dataclass(frozen=True, slots=True)
class Shift:
    """How a sweep spends its time.

    BUDGET: after it nothing new is claimed or sent. ROOM: how many may be claimed and
    unsettled at once; claimed anew when at least AT_LEAST of them are free. LINGER: how
    long to look on for new work after the last was found. GATHER: how long an answer may
    wait to be settled together with AT_LEAST others.
    """

    budget: timedelta
    room: int
    at_least: int = 1
    linger: timedelta = timedelta(0)
    gather: timedelta = timedelta(0)


class Mishap:
    """The first error of the database in a sweep, which then only hears its calls out."""

    def __init__(self) -> None:
        self.error: Error | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what goes wrong inside for the end; the next statement gets a connection."""
        try:
            yield
        except Error as error:
            self.error = self.error or error
            mend_connection(error)

    def tell(self) -> None:
        """Raise it, if there was one."""
        if self.error:
            raise self.error


def mend_connection(error: Error) -> None:
    """After an ERROR: let go of a connection that is of no more use."""
    log.warning("database_failed", error=type(error).__name__)
    connection.close_if_unusable_or_obsolete()


def run(
    lanes: Lanes[Item, Said],
    shift: Shift,
    *,
    claim: Callable[[int, Collection[int]], Sequence[Item]],
    settle: Callable[[Sequence[tuple[Item, Said]]], None],
    watch: Callable[[Lanes[Item, Said]], None] = lambda _: None,
    give_back: Callable[[Sequence[Item]], None] = lambda _: None,
) -> None:
    """Claim, send and settle until nothing is due or the budget is spent.

    CLAIM(number, crowded sources) leases at most so many items of other sources.
    WATCH(lanes) is called at every turn of the loop, before claiming. GIVE_BACK(items)
    gets at last, however it ends, what was claimed and never sent; what hangs beyond the
    grace is dropped. If the database fails, nothing more is claimed; what is under way is
    still heard and settled.

    Raises:
        django.db.Error: the first that CLAIM, SETTLE or WATCH raised, once all is heard.
    """
    mishap = Mishap()
    started = busy_at = time.monotonic()
    deadline = started + shift.budget.total_seconds()
    next_claim_at = started
    try:
        while (now := time.monotonic()) < deadline + GRACE.total_seconds():
            if mishap.error:
                deadline = min(deadline, now)
            claimed: Sequence[Item] = ()
            with mishap.kept():
                watch(lanes)
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
            patience = shift.gather if claimed else POLL
            if landed := lanes.landed(patience, gather=shift.gather, enough=shift.at_least):
                busy_at = now
                with mishap.kept():
                    settle(landed)
                if lanes.is_empty:  # what was passed over while its source was full is free
                    next_claim_at = now
    finally:
        give_back(lanes.close())
    mishap.tell()
