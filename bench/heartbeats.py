"""Heartbeats: what a beat costs beside plain boto3, how fast they go, how late they come.

Rounds: plain boto3, boto3 on threads and the portal's sweep take turns against one stand-in
that answers at once, and then after 30 ms, as AWS may. Watches: the portal's worker keeps
many requests alive on one core, and the stand-in notes when it heard of which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import psutil  # type: ignore[import-untyped] # comes with the embedded PostgreSQL
import psycopg

from bench import load
from bench.figures import BenchError, Size, expect
from bench.herd import FIRST, Herd
from bench.house import House
from bench.messages import Messages
from bench.sides import turns
from bench.talking import Pace, StandIn, Talker, talkers

KINDS = ("one-by-one", "on-threads", "portal")
FAR_MS = 30
#: What the goals speak of: 20,000 requests open at a minute, a million at half an hour.
MINUTE, HALF_HOUR = timedelta(minutes=1), timedelta(minutes=30)
#: Sealed beyond what a watch should come to.
MARGIN = timedelta(seconds=30)
WARM_UP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """Each side, by its name: near, where answers come at once, and far."""

    near: dict[str, Pace]
    far: dict[str, Pace]


@dataclass(frozen=True, slots=True)
class Watch:
    """REQUESTS kept alive each INTERVAL for SECONDS. WORST: the longest that one of them
    was silent, in seconds. Cores: CPU seconds in each second."""

    requests: int
    interval: timedelta
    seconds: float
    beats: int
    worst: float
    worker_cores: float
    postgres_cores: float

    @property
    def worst_ratio(self) -> float:
        return self.worst / self.interval.total_seconds()


@dataclass(frozen=True, slots=True)
class Found:
    rounds: list[Round]
    watches: list[Watch]
    stand_in_ms: float


def measure(
    house: House, port: int, size: Size, *, say: Callable[[str], None] = lambda _: None
) -> Found:
    """Beat in HOUSE for a stand-in on PORT.

    Raises:
        BenchError: a beat was answered otherwise than accepted, or none was sent.
    """
    house.start("stand-in", "bench.stand_in", str(port))
    with psycopg.connect(house.database_url, autocommit=True) as database:
        _open_the_original(house)
        bench = _Bench(house, port, size, Herd(database))
        bench.grow(size.beating)
        rounds, stand_in_ms = bench.rounds(say)
        house.start_workers()
        with _one_core(house):
            watches = [bench.watch(MINUTE)]
            say(f"heartbeats: {size.beating:,} were watched")
            bench.grow(size.many_beating)
            watches.append(bench.watch(HALF_HOUR))
        return Found(rounds, watches, stand_in_ms)


def _open_the_original(house: House) -> None:
    seeded = house.seeded
    messages = Messages(slug=seeded["slug"], secret=seeded["secret"], series="original")
    minute = timedelta(minutes=1)
    opened = load.run(house.portal_port, messages.http, connections=1, span=minute, most=1)
    expect(set(opened.statuses), {201}, "the first request")


class _Bench:
    def __init__(self, house: House, port: int, size: Size, herd: Herd) -> None:
        self._house = house
        self._size = size
        self._herd = herd
        self._stand_in = StandIn(port)
        self._sealed = 0

    def grow(self, requests: int) -> None:
        """REQUESTS are open, and so many sealed as a watch of half an hour can come to."""
        reached = (self._size.watch + MARGIN) / HALF_HOUR
        wanted = min(requests, max(self._size.beating, int(requests * reached) + 1))
        if wanted > self._sealed:
            words = (str(FIRST + self._sealed), str(FIRST + wanted - 1))
            self._house.run("seal", "bench.herd", *words)
            self._sealed = wanted
        self._herd.grow(requests)

    def rounds(self, say: Callable[[str], None]) -> tuple[list[Round], float]:
        """The rounds, and the stand-in's own CPU for each beat, in milliseconds."""
        with talkers(self._house, "bench.beating", KINDS) as asked:
            for kind in KINDS:
                self._run(kind, asked, WARM_UP_SECONDS)
            self._stand_in.arrivals()
            before, found = self._house.cpu_seconds("stand-in"), []
            for turn in range(self._size.rounds):
                found.append(Round(self._all(asked, turn, 0), self._all(asked, turn, FAR_MS)))
                say(f"heartbeats, round {turn + 1} of {self._size.rounds}: done")
            spent = self._house.cpu_seconds("stand-in") - before
        self._stand_in.answer_after(0)
        return found, spent / sum(map(len, self._stand_in.arrivals().values())) * 1000

    def _all(self, asked: dict[str, Talker], turn: int, delay_ms: int) -> dict[str, Pace]:
        self._stand_in.answer_after(delay_ms)
        seconds = self._size.span.total_seconds()
        return {kind: self._run(kind, asked, seconds) for kind in turns(KINDS, turn)}

    def _run(self, kind: str, asked: dict[str, Talker], seconds: float) -> Pace:
        self._herd.all_due()
        self._house.settle()
        postgres = self._house.cpu_seconds("postgres")
        told = asked[kind].tell(f"{seconds}")
        spent = self._house.cpu_seconds("postgres") - postgres
        if not told["beats"]:
            raise BenchError(f"{kind}: nothing was beaten for.")
        return Pace(
            rate=told["beats"] / told["seconds"],
            own_ms=told["cpu"] / told["beats"] * 1000,
            postgres_ms=spent / told["beats"] * 1000 if kind == "portal" else 0.0,
        )

    def watch(self, interval: timedelta) -> Watch:
        """Let the worker keep the herd alive, and see how long each was silent at most."""
        start = self._herd.schedule(interval)
        self._stand_in.arrivals()  # of what was due before
        time.sleep(max(0.0, start - time.time()))
        names = ("worker", "postgres")
        before, began = [self._house.cpu_seconds(name) for name in names], time.time()
        time.sleep(self._size.watch.total_seconds())
        seconds = time.time() - began
        worker, postgres = (
            (self._house.cpu_seconds(name) - spent) / seconds
            for name, spent in zip(names, before, strict=True)
        )
        arrivals = self._stand_in.arrivals()
        return Watch(
            requests=self._herd.size,
            interval=interval,
            seconds=seconds,
            beats=sum(map(len, arrivals.values())),
            worst=max(self._silences(arrivals, start, began + seconds, interval)),
            worker_cores=worker,
            postgres_cores=postgres,
        )

    def _silences(
        self, arrivals: dict[str, list[float]], start: float, end: float, interval: timedelta
    ) -> Iterator[float]:
        """Of each request the longest time, in seconds, between two beats or up to END.

        The beat before the first is taken to have come an interval before that was due.
        """
        period = interval.total_seconds()
        for place in range(self._herd.size):
            former = start + period * (place / self._herd.size - 1)
            times = [former, *arrivals.get(str(FIRST + place), ()), end]
            yield max(later - earlier for earlier, later in pairwise(times))


@contextmanager
def _one_core(house: House) -> Iterator[None]:
    """Worker and PostgreSQL, and what they start, share one core where the system can pin."""
    for name in ("worker", "postgres"):
        root = psutil.Process(house.pids[name])
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, AttributeError):  # it ended; no such call here
                process.cpu_affinity(process.cpu_affinity()[:1])
    yield
