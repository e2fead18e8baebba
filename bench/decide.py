"""Deciding: the portal and a bare Django app take the same decisions, in turns.

The requests to decide are posted to each side's own intake before each run, outside its
time, and each is decided once. No worker runs: what is owed stays in the outbox.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from bench import load
from bench.figures import Size, expect
from bench.house import House
from bench.messages import PROXY_HEADERS, Messages, as_http
from bench.sides import Reading, Side, read, turns

BODY = b'{"verdict": "approved", "comment": "Address confirmed by phone."}'
#: Prepared for a run: so many times what the last run of its side decided in that time.
RESERVE = 1.4
#: Before anything is known of a side's speed, in decisions per second.
FIRST_GUESS = 100
#: Preparing is bounded too: an intake that answers nothing must not hang a benchmark.
PREPARED_WITHIN = timedelta(minutes=5)

#: What is open at each side; the names decisions are posted under.
PENDING = {
    "portal": "SELECT public_id::text FROM approvals_approvalrequest WHERE state = 'pending'",
    "bare": "SELECT id::text FROM bare_approval WHERE state = 'pending'",
}


@dataclass(frozen=True, slots=True)
class Round:
    """Both sides at full speed."""

    portal: Reading
    bare: Reading


def measure(
    house: House, size: Size, *, say: Callable[[str], None] = lambda _: None
) -> list[Round]:
    """Run SIZE.rounds rounds in HOUSE and return what each found.

    Raises:
        BenchError: an answer was not 200, or a decision did not leave one row.
    """
    house.start_bare()
    bench = _Bench(house, size)
    bench.warm_up()
    rounds = []
    for number in range(size.rounds):
        rounds.append(bench.round(number))
        say(f"decide, round {number + 1} of {size.rounds}: done")
    return rounds


class _Bench:
    def __init__(self, house: House, size: Size) -> None:
        self.house = house
        self.size = size
        self.portal = Side("portal", house.portal_port, "approvals_decision")
        self.bare = Side("bare", house.bare_port, "bare_decision")
        self._rates = dict.fromkeys((self.portal, self.bare), float(FIRST_GUESS))

    def warm_up(self) -> None:
        """Let every thread import, connect and plan, and learn how much a run decides."""
        for side in (self.portal, self.bare):
            self._decide(side, "warm", self.size.warm_up)

    def round(self, number: int) -> Round:
        found = {
            side: self._decide(side, f"decide-{number}", self.size.span)
            for side in turns((self.portal, self.bare), number)
        }
        return Round(portal=found[self.portal], bare=found[self.bare])

    def _decide(self, side: Side, series: str, span: timedelta) -> Reading:
        """Decisions for SPAN; each must be answered 200 and leave one row."""
        self._prepare(side, series, math.ceil(self._rates[side] * span.total_seconds() * RESERVE))
        names = self._pending(side)
        reading = read(
            self.house,
            side,
            self.size,
            lambda number: self._http(names[number]),
            status=200,
            span=span,
            most=len(names),
        )
        expect(len(self._pending(side)), len(names) - reading.count, f"{side.name}: still open")
        self._rates[side] = reading.rate
        return reading

    def _prepare(self, side: Side, series: str, wanted: int) -> None:
        """Open requests at SIDE until WANTED are pending: its own intake writes them."""
        missing = wanted - len(self._pending(side))
        if missing <= 0:
            return
        seeded = self.house.seeded
        messages = Messages(slug=seeded["slug"], secret=seeded["secret"], series=series)
        opened = load.run(
            side.port,
            messages.http,
            connections=self.size.connections,
            span=PREPARED_WITHIN,
            most=missing,
        )
        expect(set(opened.statuses), {201}, f"{side.name}: answers to requests being prepared")

    def _pending(self, side: Side) -> list[str]:
        with psycopg.connect(self.house.database_url) as database:
            return [name for (name,) in database.execute(PENDING[side.name]).fetchall()]

    def _http(self, name: str) -> bytes:
        headers = {
            **PROXY_HEADERS,
            "Authorization": f"Bearer {self.house.seeded['token']}",
            "Content-Type": "application/json",
        }
        return as_http("POST", f"/api/v1/requests/{name}/decision", headers, BODY)
