"""Decision to call: how long after COMMIT AWS hears of it, beside a call inside the request.

A recording stand-in plays the callback API, in this process. The yardstick is the bare app
(bare.py): it decides, commits, and asks boto3 before it answers. Both take turns.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Condition
from typing import Any

import psycopg

from bench.figures import BenchError, Size, expect, percentile
from bench.house import House
from bench.messages import HOST, PROXY_HEADERS, Messages
from tests.fakes.lambda_api import Fault, LambdaApi

MOST_DECISIONS = 10_000
#: A call that has not come by then was lost: sweeps alone bring it in 5 s.
ARRIVES_WITHIN = timedelta(seconds=20)
#: At least so many decisions before any counts: each worker makes its boto3 client once.
WARM_UP = 20

#: From one call's arrival to the next decision: what the one before leaves to be done is
#: done, on both sides, as between decisions of people.
PAUSE = timedelta(milliseconds=25)

#: When each decision of a side was committed, by the database's own record.
COMMITTED = {
    "portal": """
        SELECT r.public_id::text, pg_xact_commit_timestamp(d.xmin)
        FROM approvals_decision d JOIN approvals_approvalrequest r ON r.id = d.request_id
        WHERE r.public_id = ANY(%s::uuid[])
    """,
    "bare": """
        SELECT approval_id::text, pg_xact_commit_timestamp(xmin)
        FROM bare_decision WHERE approval_id = ANY(%s::bigint[])
    """,
}


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds, one for each decision.

    COMMITTED: COMMIT to the call's arrival. ASKED: decision sent to arrival. ANSWERED:
    decision sent to the portal's answer. DIRECT: as COMMITTED, with the call inside the
    request; DIRECT_ANSWERED: as ANSWERED.
    """

    committed: list[float]
    asked: list[float]
    answered: list[float]
    direct: list[float]
    direct_answered: list[float]

    @property
    def ratio_p50(self) -> float:
        return percentile(self.committed, 50) / percentile(self.direct, 50)


class CallbackApi(LambdaApi):
    """The stand-in, with the moment at which each answer to a callback arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[str, float] = {}  # seconds since the epoch, as PostgreSQL's clock
        self._news = Condition()

    def take(self, verb: str, name: str, body: bytes) -> Fault:
        now = time.time()
        if verb == "look":
            return Fault(200, json.dumps({"Status": "RUNNING"}).encode())
        if verb in {"succeed", "fail"}:
            with self._news:
                self.arrived.setdefault(name, now)
                self._news.notify_all()
        return super().take(verb, name, body)

    def arrival(self, name: str) -> float:
        """When callback NAME was answered; waits for it."""
        with self._news:
            if not self._news.wait_for(
                lambda: name in self.arrived, ARRIVES_WITHIN.total_seconds()
            ):
                raise BenchError(f"A decision did not arrive within {ARRIVES_WITHIN.seconds} s.")
            return self.arrived[name]


def measure(
    house: House,
    api: CallbackApi,
    size: Size,
    *,
    say: Callable[[str], None] = lambda _: None,
    warm_up: int = WARM_UP,
) -> list[Round]:
    """Decide in HOUSE for SIZE.rounds rounds and return what each found.

    Raises:
        BenchError: a request was refused, or a call did not arrive exactly once.
    """
    house.start_bare()
    house.start_workers()
    bench = _Bench(house, api)
    try:
        bench.round("warm", size.warm_up, least=warm_up)
        rounds = []
        for number in range(size.rounds):
            rounds.append(bench.round(f"decide-{number}", size.span))
            say(f"decision to call, round {number + 1} of {size.rounds}: done")
        return rounds
    finally:
        bench.close()


@dataclass(frozen=True, slots=True)
class _Decided:
    """One decision: its callback, and when (seconds) it was sent and answered."""

    callback_id: str
    sent: float
    told: float


@dataclass(slots=True)
class _Side:
    """One of the two servers, asked over one connection. ENDING: of a decision's address."""

    name: str
    port: int
    ending: str
    decided: dict[str, _Decided] = field(default_factory=dict)  # by the side's own id
    line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection(HOST, self.port, timeout=30)

    def post(
        self, path: str, body: bytes, headers: dict[str, str], *, wanted: int
    ) -> dict[str, Any]:
        self.line.request("POST", path, body, headers)
        response = self.line.getresponse()
        content = response.read()
        expect(response.status, wanted, f"POST {path}: {content[:200]!r}; status")
        answer: dict[str, Any] = json.loads(content)
        return answer


class _Bench:
    def __init__(self, house: House, api: CallbackApi) -> None:
        self._house = house
        self._api = api
        self._portal = _Side("portal", house.portal_port, "decision")
        self._bare = _Side("bare", house.bare_port, "decision/call")

    def close(self) -> None:
        self._portal.line.close()
        self._bare.line.close()

    def round(self, series: str, span: timedelta, *, least: int = 3) -> Round:
        """Decide at each side in turn until SPAN is over, one decision at a time."""
        seeded = self._house.seeded
        sides = [self._portal, self._bare]
        messages = {
            side.name: Messages(
                slug=seeded["slug"], secret=seeded["secret"], series=f"{series}-{side.name}"
            )
            for side in sides
        }
        for side in sides:
            side.decided = {}
        number, end = 0, time.monotonic() + span.total_seconds()
        while number < MOST_DECISIONS and (time.monotonic() < end or number < least):
            for side in sides:
                self._decide(side, messages[side.name], number)
            number += 1
        self._check_each_once()
        portal, bare = (self._waits(side) for side in sides)
        return Round(*portal, direct=bare[0], direct_answered=bare[2])

    def _decide(self, side: _Side, messages: Messages, number: int) -> None:
        """Open a request and approve it, and await the call; then pause."""
        body = messages.body(number)
        opened = side.post(messages.path, body, messages.headers(number, body), wanted=201)
        headers = {
            **PROXY_HEADERS,
            "Authorization": f"Bearer {self._house.seeded['token']}",
            "Content-Type": "application/json",
        }
        path = f"/api/v1/requests/{opened['id']}/{side.ending}"
        sent = time.time()
        side.post(path, b'{"verdict": "approved"}', headers, wanted=200)
        decided = _Decided(messages.callback_id(number), sent, time.time())
        side.decided[str(opened["id"])] = decided
        self._api.arrival(decided.callback_id)
        time.sleep(PAUSE.total_seconds())

    def _waits(self, side: _Side) -> tuple[list[float], list[float], list[float]]:
        """COMMIT to call, sent to call, sent to answered, of what SIDE decided."""
        with psycopg.connect(self._house.database_url) as database:
            rows = database.execute(COMMITTED[side.name], [list(side.decided)]).fetchall()
        committed_at = {name: at.timestamp() for name, at in rows}
        expect(set(committed_at), set(side.decided), "decisions in the database")
        committed, asked, answered = [], [], []
        for name, decided in side.decided.items():
            arrived = self._api.arrival(decided.callback_id)
            committed.append((arrived - committed_at[name]) * 1000)
            asked.append((arrived - decided.sent) * 1000)
            answered.append((decided.told - decided.sent) * 1000)
        return committed, asked, answered

    def _check_each_once(self) -> None:
        with self._api.lock:
            calls = Counter(call.name for call in self._api.calls if call.verb == "succeed")
        for side in (self._portal, self._bare):
            times = [calls[decided.callback_id] for decided in side.decided.values()]
            expect(times, [1] * len(times), f"{side.name}: calls for each decision")
