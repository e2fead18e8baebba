"""Intake: the portal and a bare Django app take the same signed messages, in turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bench import load
from bench.figures import Size, expect
from bench.house import House
from bench.messages import Messages
from bench.sides import Reading, Side, read, turns

#: Nothing is delivered during intake: no worker runs.
NO_CALLBACKS = "http://127.0.0.1:9"
#: Where a request of the portal leaves rows; a repeated message must leave none.
PORTAL_TABLES = tuple(
    f"approvals_{name}"
    for name in (
        *("approvalrequest", "assignment", "auditevent", "execution", "heartbeat", "notice"),
        "callbackdelivery",
    )
)
BARE_TABLES = ("bare_approval", "bare_audit", "bare_outbox")


@dataclass(frozen=True, slots=True)
class Round:
    """Both sides at full speed, both at half of their own speed, and the portal's replay.

    REPLAY_TIME_RATIO: time for a repeated message over time for a new one.
    """

    portal: Reading
    bare: Reading
    portal_half: Reading
    bare_half: Reading
    replayed: int
    replay_time_ratio: float


def measure(
    house: House, size: Size, *, say: Callable[[str], None] = lambda _: None
) -> list[Round]:
    """Run SIZE.rounds rounds in HOUSE and return what each found.

    Raises:
        BenchError: an answer was not 201 (new) or 200 (repeated), or rows do not match.
    """
    house.start_bare()
    bench = _Bench(house, size)
    bench.warm_up()
    rounds = []
    for number in range(size.rounds):
        rounds.append(bench.round(number))
        say(f"intake, round {number + 1} of {size.rounds}: done")
    return rounds


class _Bench:
    def __init__(self, house: House, size: Size) -> None:
        self.house = house
        self.size = size
        self.portal = Side("portal", house.portal_port, PORTAL_TABLES[0])
        self.bare = Side("bare", house.bare_port, BARE_TABLES[0])

    def warm_up(self) -> None:
        """Let every thread import, connect and plan before anything counts."""
        for side in (self.portal, self.bare):
            self._new(side, "warm", span=self.size.warm_up)

    def round(self, number: int) -> Round:
        sides = turns((self.portal, self.bare), number)
        full = {side: self._new(side, f"full-{number}") for side in sides}
        half = {side: self._new(side, f"half-{number}", rate=full[side].rate / 2) for side in sides}
        replayed, time_ratio = self._replay(f"full-{number}", full[self.portal])
        return Round(
            portal=full[self.portal],
            bare=full[self.bare],
            portal_half=half[self.portal],
            bare_half=half[self.bare],
            replayed=replayed,
            replay_time_ratio=time_ratio,
        )

    def _new(
        self, side: Side, series: str, *, span: timedelta | None = None, rate: float | None = None
    ) -> Reading:
        """New messages for SPAN; each must be answered 201 and leave one row."""
        return read(
            self.house,
            side,
            self.size,
            self._messages(series).http,
            status=201,
            span=span,
            rate=rate,
        )

    def _replay(self, series: str, new: Reading) -> tuple[int, float]:
        """The messages of SERIES once more: 200 for each, and not one row."""
        self.house.settle()
        rows = self.house.rows(*PORTAL_TABLES)
        outcome = load.run(
            self.portal.port,
            self._messages(series).http,
            connections=self.size.connections,
            span=self.size.span,
            most=new.count,
        )
        expect(set(outcome.statuses), {200}, "portal: answers to repeated messages")
        expect(self.house.rows(*PORTAL_TABLES), rows, "portal: rows after repeated messages")
        return outcome.count, new.rate / outcome.rate

    def _messages(self, series: str) -> Messages:
        seeded = self.house.seeded
        return Messages(slug=seeded["slug"], secret=seeded["secret"], series=series)
