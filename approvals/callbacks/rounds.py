"""Whose turn it is to be asked about: sources one after the other, those in trouble seldom.

For what is asked of AWS on the side (looks, histories): a source with thousands due does not
keep another waiting, and one whose circuit is open is asked only as its probe.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from datetime import datetime

from approvals.callbacks import circuit
from approvals.callbacks.gateway import Answer
from approvals.models import Circuit, Execution


class Rounds:
    """Remembers, for one sweep, which source was served when."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._toss = itertools.count()
        self._served: dict[int, int] = {}
        self._ways = circuit.Ways([], [])

    def sources(self, due: Iterable[int], *, now: datetime) -> list[int]:
        """DUE sources that may be asked, the one longest not served first."""
        self._ways = circuit.ways(now)
        open_to_us = set(due).difference(self._ways.shut)
        return sorted(open_to_us, key=lambda source: (self._served.get(source, -1), source))

    def toss(self) -> bool:
        """True every other time: whose turn it is among two that must not starve."""
        return next(self._toss) % 2 == 0

    def serve(self, execution: Execution, *, now: datetime) -> bool:
        """EXECUTION is to be asked about; false if its source takes but a probe, and not ours."""
        through, _ = circuit.let_through([execution], self._ways, now=now)
        if through:
            self._served[execution.source_id] = next(self._count)
        return bool(through)


def keep_pace(began: float, per_second: float) -> None:
    """Hold the lane for as long as a call that BEGAN then (time.monotonic) may take part in.

    A source has one lane, so it is asked no more often than PER_SECOND.
    """
    time.sleep(max(0.0, 1 / per_second - (time.monotonic() - began)))


def heard(source_id: int, answer: Answer, *, now: datetime) -> None:
    """Tell the source's circuit what became of a question.

    That the question alone is denied says nothing of answers and beats; nor does its being
    answered, unless it was the probe of an open circuit.
    """
    if answer.needs_mending:
        return
    if answer.unreachable or Circuit.objects.open().filter(source=source_id).exists():
        circuit.heard(source_id, answer, now=now)
