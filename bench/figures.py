"""Numbers out of samples, and what makes a run worthless."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median


class BenchError(Exception):
    """The run says nothing: something was not served, counted or started as it must be."""


@dataclass(frozen=True)
class Size:
    """How much is measured: ROUNDS of SPAN, over CONNECTIONS kept alive.

    The queue is looked at with FEW pending, and with PENDING and CLOSED. Heartbeats are
    watched for WATCH, with BEATING and then MANY_BEATING requests open. The broker is gone
    for OUTAGE.
    """

    rounds: int = 5
    span: timedelta = timedelta(seconds=5)
    connections: int = 16
    few: int = 1_000
    pending: int = 1_000_000
    closed: int = 10_000_000
    watch: timedelta = timedelta(seconds=125)
    beating: int = 20_000
    many_beating: int = 1_000_000
    outage: timedelta = timedelta(seconds=60)

    @property
    def warm_up(self) -> timedelta:
        return min(self.span, timedelta(seconds=3))


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that PERCENT of them do not exceed."""
    if not samples:
        raise BenchError("Nothing was measured: give it more --seconds.")
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        values = list(values)
        return cls(median(values), min(values), max(values))


def expect(actual: object, wanted: object, what: str) -> None:
    """Raise BenchError unless ACTUAL is as WANTED: figures of a run that failed mislead."""
    if actual != wanted:
        raise BenchError(f"{what}: {actual}, expected {wanted}.")
