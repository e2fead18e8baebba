"""Figures as Markdown that also reads well in a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bench.figures import Size, Spread

Found = TypeVar("Found")


def section(title: str, *parts: str) -> str:
    """A heading and what stands below it; the name before " (" tells one from another."""
    return "\n\n".join([f"## {title}", *parts])


def beside(
    name: str,
    rounds: Sequence[Found],
    mine: Callable[[Found], float],
    other: Callable[[Found], float],
) -> tuple[str, ...]:
    """A row: medians of both, and the median, lowest and highest of the rounds' own ratios."""
    ratios = Spread.of(_ratio(mine(found), other(found)) for found in rounds)
    return name, middle(map(mine, rounds)), middle(map(other, rounds)), spread(ratios)


def _ratio(mine: float, other: float) -> float:
    """A run of a moment may cost less than a tick of the processor's clock: nothing, it seems."""
    return mine / other if other else math.inf if mine else 1.0


def extent(size: Size) -> str:
    rounds = "1 round" if size.rounds == 1 else f"{size.rounds} rounds"
    return f"{rounds} of {size.span.total_seconds():g} s"


def middle(values: Iterable[float]) -> str:
    return number(Spread.of(values).median)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(ratio: Spread) -> str:
    return f"{ratio.median:.2f} [{ratio.low:.2f}-{ratio.high:.2f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column to the left, all others to the right."""
    rows = list(rows)
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        words = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(words)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *(line(row) for row in rows)])
