"""What heartbeats cost and how late they came, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.figures import Size, Spread
from bench.heartbeats import FAR_MS, Found, Round, Watch
from bench.tables import extent, middle, number, section, spread, table


def heartbeats_table(found: Found, size: Size) -> str:
    """Ratios to plain boto3 in a loop are medians of the rounds' own."""
    rows = [
        _compared(f"{words}, {name}", found.rounds, kind, of)
        for kind, words in (("portal", "portal"), ("on-threads", "boto3 on threads"))
        for name, of in (
            ("CPU per beat, ms", lambda r, kind: r.near[kind].cpu_ms),
            ("beats per second", lambda r, kind: r.near[kind].rate),
            (f"beats per second at {FAR_MS} ms", lambda r, kind: r.far[kind].rate),
        )
    ]
    own, postgres = (middle(r.near["portal"].own_ms for r in found.rounds),
                     middle(r.near["portal"].postgres_ms for r in found.rounds))  # fmt: skip
    told = (
        f"Of the portal's CPU {own} ms are its own and {postgres} ms PostgreSQL's."
        f" The stand-in takes {number(found.stand_in_ms)} ms, which counts with nobody."
    )
    head = ("", "this side", "boto3 in a loop", "ratio")
    return section(f"Heartbeats ({extent(size)})", table(head, rows), told, _watched(found.watches))


def _compared(
    name: str, rounds: Sequence[Round], kind: str, of: Callable[[Round, str], float]
) -> tuple[str, ...]:
    ratios = Spread.of(of(found, kind) / of(found, "one-by-one") for found in rounds)
    mine, plain = (middle(of(found, side) for found in rounds) for side in (kind, "one-by-one"))
    return name, mine, plain, spread(ratios)


def _watched(watches: Sequence[Watch]) -> str:
    rows = [
        (
            _words(watch),
            number(watch.beats / watch.seconds),
            f"{watch.worst_ratio:.3f}",
            number(max(0.0, watch.worst - watch.interval.total_seconds())),
            number(watch.worker_cores),
            number(watch.postgres_cores),
        )
        for watch in watches
    ]
    head = ("Open requests, on one core", "beats per second", "longest silence, intervals",
            "beyond the interval, s", "worker, cores", "PostgreSQL, cores")  # fmt: skip
    return table(head, rows)


def _words(watch: Watch) -> str:
    interval = watch.interval.total_seconds()
    return f"{watch.requests:,} each {interval:g} s, for {watch.seconds:.0f} s"
