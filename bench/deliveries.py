"""Deliveries: how many answers one worker brings to AWS, and their cost beside plain boto3.

boto3 in a loop, boto3 on threads and the portal's sweep, for one source and for several,
take turns against one stand-in that answers at once, and then after 30 ms, as AWS may.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from bench import load
from bench.figures import Size, expect
from bench.house import House
from bench.messages import HOST, PROXY_HEADERS, Messages
from bench.owed import MOST_SOURCES, Owed
from bench.sides import turns
from bench.talking import Pace, StandIn, Talker, talkers

PROCESSES = ("one-by-one", "on-threads", "portal")
#: Of the portal's sides, how many sources the answers are owed for.
SOURCES = {"one source": 1, "several sources": MOST_SOURCES}
SIDES = ("one-by-one", "on-threads", *SOURCES)
NEAR_MS, FAR_MS = 0, 30
#: Before anything counts; also, how fast each of the portal's sides goes.
WARM_UP_SECONDS, WARM_UP_ANSWERS = 1.0, 80
#: No run of the portal is of fewer.
LEAST_ANSWERS = 24


@dataclass(frozen=True, slots=True)
class Round:
    """Each side, by its name: near, where answers come at once, and far."""

    near: dict[str, Pace]
    far: dict[str, Pace]


@dataclass(frozen=True, slots=True)
class Found:
    """DELIVERED: by the portal in all rounds, each once; CALLED: by boto3."""

    rounds: list[Round]
    delivered: int
    called: int


def measure(
    house: House, port: int, size: Size, *, say: Callable[[str], None] = lambda _: None
) -> Found:
    """Deliver in HOUSE to a stand-in on PORT.

    Raises:
        BenchError: an answer was not delivered, not at its first attempt, or heard of
            otherwise than once.
    """
    house.start("stand-in", "bench.stand_in", str(port))
    _decide_the_original(house)
    with psycopg.connect(house.database_url, autocommit=True) as database:
        bench = _Bench(house, StandIn(port), size, Owed(database))
        bench.seal(WARM_UP_ANSWERS * len(SOURCES) * 2)
        with talkers(house, "bench.delivering", PROCESSES) as asked:
            return bench.rounds(asked, say)


def _decide_the_original(house: House) -> None:
    """One request comes in by the portal, and is approved over its API."""
    seeded = house.seeded
    messages = Messages(slug=seeded["slug"], secret=seeded["secret"], series="original")
    minute = timedelta(minutes=1)
    opened = load.run(house.portal_port, messages.http, connections=1, span=minute, most=1)
    expect(set(opened.statuses), {201}, "the first request")
    with psycopg.connect(house.database_url) as database:
        (public_id,) = database.execute(
            "SELECT public_id FROM approvals_approvalrequest"
        ).fetchone() or ("",)
    headers = {
        **PROXY_HEADERS,
        "Authorization": f"Bearer {seeded['token']}",
        "Content-Type": "application/json",
    }
    line = http.client.HTTPConnection(HOST, house.portal_port, timeout=30)
    body = json.dumps({"verdict": "approved"})
    line.request("POST", f"/api/v1/requests/{public_id}/decision", body, headers)
    expect(line.getresponse().status, 200, "the decision")
    line.close()


class _Bench:
    def __init__(self, house: House, stand_in: StandIn, size: Size, owed: Owed) -> None:
        self._house = house
        self._stand_in = stand_in
        self._size = size
        self._owed = owed
        self._delivered = self._called = 0

    def seal(self, answers: int) -> None:
        """So many ANSWERS more can be owed."""
        first = self._owed.next
        self._house.run("seal", "bench.owed", str(first), str(first + answers - 1))

    def rounds(self, asked: dict[str, Talker], say: Callable[[str], None]) -> Found:
        answers = self._warm_up(asked)
        self.seal(sum(answers.values()) * self._size.rounds)
        self._delivered = self._called = 0
        found = []
        for turn in range(self._size.rounds):
            near, far = (self._all(asked, turn, delay, answers) for delay in (NEAR_MS, FAR_MS))
            found.append(Round(near, far))
            say(f"deliveries, round {turn + 1} of {self._size.rounds}: done")
        return Found(found, self._delivered, self._called)

    def _warm_up(self, asked: dict[str, Talker]) -> dict[tuple[str, int], int]:
        """How many answers each of the portal's sides brings in the time of a run, by delay."""
        seconds = self._size.span.total_seconds()
        answers = {}
        for delay in (NEAR_MS, FAR_MS):
            self._stand_in.answer_after(delay)
            for kind in PROCESSES[:2]:
                self._call(asked[kind], min(seconds, WARM_UP_SECONDS))
            for side in SOURCES:
                rate = self._deliver(asked["portal"], side, WARM_UP_ANSWERS).rate
                answers[side, delay] = max(LEAST_ANSWERS, round(rate * seconds))
        return answers

    def _all(
        self, asked: dict[str, Talker], turn: int, delay: int, answers: dict[tuple[str, int], int]
    ) -> dict[str, Pace]:
        self._stand_in.answer_after(delay)
        seconds = self._size.span.total_seconds()
        return {
            side: self._deliver(asked["portal"], side, answers[side, delay])
            if side in SOURCES
            else self._call(asked[side], seconds)
            for side in turns(SIDES, turn)
        }

    def _call(self, talker: Talker, seconds: float) -> Pace:
        """Plain boto3 for SECONDS."""
        told = talker.tell(f"{seconds}")
        heard = sum(map(len, self._stand_in.arrivals().values()))
        expect(heard, told["calls"], "boto3: calls that arrived")
        self._called += heard
        return _pace(told, 0.0)

    def _deliver(self, talker: Talker, side: str, number: int) -> Pace:
        """The portal's sweep, until NUMBER of answers are delivered."""
        numbers = self._owed.add(number, sources=SOURCES[side])
        self._house.settle()
        before = self._house.cpu_seconds("postgres")
        told = talker.tell("0")
        postgres = self._house.cpu_seconds("postgres") - before
        expect(told["calls"], number, f"portal, {side}: delivered")
        self._owed.expect_delivered(numbers)
        expect_each_once(self._stand_in.arrivals(), numbers, f"portal, {side}")
        self._delivered += number
        return _pace(told, postgres)


def expect_each_once(arrivals: dict[str, list[float]], numbers: range, what: str) -> None:
    """Raise BenchError unless ARRIVALS are of each of NUMBERS, once, and of nothing else."""
    heard = {name: len(times) for name, times in arrivals.items()}
    wanted = dict.fromkeys(map(str, numbers), 1)
    strange = [n for n in heard.keys() | wanted.keys() if heard.get(n) != wanted.get(n)]
    expect(len(strange), 0, f"{what}: answers that did not arrive once")


def _pace(told: dict[str, float], postgres: float) -> Pace:
    return Pace(
        rate=told["calls"] / told["seconds"],
        own_ms=told["cpu"] / told["calls"] * 1000,
        postgres_ms=postgres / told["calls"] * 1000,
    )
