"""One run of requests against one of two servers, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from bench import load
from bench.figures import Size, expect
from bench.house import House

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Reading:
    """One run against one side. CPU in milliseconds for each request; COUNT were answered."""

    rate: float
    p50_ms: float
    p99_ms: float
    app_ms: float
    postgres_ms: float
    count: int

    @property
    def cpu_ms(self) -> float:
        return self.app_ms + self.postgres_ms


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: which program, on which port, with which row per accepted request."""

    name: str
    port: int
    table: str = ""


def turns(sides: Sequence[Item], number: int) -> list[Item]:
    """SIDES in the order of round NUMBER: who goes first changes from round to round."""
    start = number % len(sides)
    return [*sides[start:], *sides[:start]]


def read(
    house: House,
    side: Side,
    size: Size,
    message: Callable[[int], bytes],
    *,
    status: int,
    span: timedelta | None = None,
    rate: float | None = None,
    most: int = load.MOST_REQUESTS,
) -> Reading:
    """Send MESSAGEs to SIDE for SPAN (of SIZE, if not said), at most MOST.

    Raises:
        BenchError: an answer was not STATUS, or it left not one row in the side's table.
    """
    house.settle()
    rows = _rows(house, side)
    app, postgres = _cpu(house, side)
    outcome = load.run(
        side.port,
        message,
        connections=size.connections,
        span=span or size.span,
        rate=rate,
        most=most,
    )
    app_after, postgres_after = _cpu(house, side)
    expect(set(outcome.statuses), {status}, f"{side.name}: answers")
    if side.table:
        expect(_rows(house, side) - rows, outcome.count, f"{side.name}: rows written")
    return Reading(
        rate=outcome.rate,
        p50_ms=outcome.milliseconds(50),
        p99_ms=outcome.milliseconds(99),
        app_ms=(app_after - app) / outcome.count * 1000,
        postgres_ms=(postgres_after - postgres) / outcome.count * 1000,
        count=outcome.count,
    )


def _rows(house: House, side: Side) -> int:
    return house.rows(side.table)[side.table] if side.table else 0


def _cpu(house: House, side: Side) -> tuple[float, float]:
    return house.cpu_seconds(side.name), house.cpu_seconds("postgres")
