"""What a worker delivers and what it costs, as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.deliveries import FAR_MS, SOURCES, Found, Round
from bench.delivering import THREADS
from bench.figures import Size
from bench.owed import MOST_SOURCES
from bench.tables import beside, extent, middle, section, table

_WORDS = {
    "one source": "portal, one source",
    "several sources": f"portal, {MOST_SOURCES} sources",
    "on-threads": f"boto3 on {THREADS} threads",
}
_PLAIN = "one-by-one"


def deliveries_table(found: Found, size: Size) -> str:
    """Ratios to plain boto3 in a loop are medians of the rounds' own."""
    rows = [
        beside(f"{words}, {name}", found.rounds, partial(of, side), partial(of, _PLAIN))
        for side, words in _WORDS.items()
        for name, of in _FIGURES.items()
    ]
    told = (
        f"{_shares(found)} {found.delivered:,} answers were delivered, each at its first"
        f" attempt and heard of once; boto3 called {found.called:,} times."
    )
    head = ("", "this side", "boto3 in a loop", "ratio")
    return section(f"Deliveries ({extent(size)})", table(head, rows), told)


def _shares(found: Found) -> str:
    paces = [round_.near[side] for round_ in found.rounds for side in SOURCES]
    own, postgres = middle(p.own_ms for p in paces), middle(p.postgres_ms for p in paces)
    return f"Of the portal's CPU {own} ms are its own and {postgres} ms PostgreSQL's."


def _near_rate(side: str, found: Round) -> float:
    return found.near[side].rate


def _near_cpu(side: str, found: Round) -> float:
    return found.near[side].cpu_ms


def _far_rate(side: str, found: Round) -> float:
    return found.far[side].rate


_FIGURES: dict[str, Callable[[str, Round], float]] = {
    "deliveries per second": _near_rate,
    "CPU per delivery, ms": _near_cpu,
    f"deliveries per second at {FAR_MS} ms": _far_rate,
}
