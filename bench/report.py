"""What a run found, as Markdown: ratios first, absolute figures beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bench import decide, intake, resume
from bench.figures import Size, Spread, percentile
from bench.sides import Reading
from bench.tables import beside, extent, number, section, spread, table

#: What two servers are compared by.
COMPARED: tuple[tuple[str, Callable[[Reading], float]], ...] = (
    ("requests per second", lambda reading: reading.rate),
    ("CPU per request, ms", lambda reading: reading.cpu_ms),
    ("- of it app server, ms", lambda reading: reading.app_ms),
    ("- of it PostgreSQL, ms", lambda reading: reading.postgres_ms),
    ("p50, ms", lambda reading: reading.p50_ms),
    ("p99, ms", lambda reading: reading.p99_ms),
)
HEAD = ("", "portal", "bare Django", "ratio")


def intake_table(rounds: Sequence[intake.Round], size: Size) -> str:
    """Portal beside the bare app; ratios are medians of the rounds' own ratios."""
    rows = [
        *_compared(rounds, lambda r: r.portal, lambda r: r.bare),
        *(
            (f"{name.removesuffix(', ms')} at half of its own rate, ms", *cells)
            for name, *cells in _compared(rounds, lambda r: r.portal_half, lambda r: r.bare_half)
            if name.startswith("p")
        ),
    ]
    created = sum(r.portal.count + r.portal_half.count for r in rounds)
    replayed = sum(r.replayed for r in rounds)
    replay = Spread.of(r.replay_time_ratio for r in rounds)
    told = (
        f"{created} new messages left one request each; {replayed} repeated ones left no"
        f" row and took {spread(replay)} of the time of a new one."
    )
    return section(f"Intake ({_load(size)})", table(HEAD, rows), told)


def decide_table(rounds: Sequence[decide.Round], size: Size) -> str:
    """As intake: portal beside the bare app."""
    rows = _compared(rounds, lambda r: r.portal, lambda r: r.bare)
    decided = [sum(reading.count for reading in side) for side in _sides(rounds)]
    told = f"{decided[0]} decisions by the portal and {decided[1]} by the bare app left a row each."
    return section(f"Decide ({_load(size)})", table(HEAD, rows), told)


def resume_table(rounds: Sequence[resume.Round], size: Size) -> str:
    """Decisions beside those that call inside the request; the ratio of p50 by rounds."""
    committed, asked, answered, direct, direct_answered = (
        [sample for r in rounds for sample in getattr(r, name)]
        for name in ("committed", "asked", "answered", "direct", "direct_answered")
    )
    tail = percentile(committed, 99) / percentile(committed, 50)
    rows = [
        ("COMMIT to call", *_percentiles(committed)),
        ("COMMIT to call, boto3 inside the request", *_percentiles(direct)),
        ("decision sent to call", *_percentiles(asked)),
        ("decision sent to the portal's answer", *_percentiles(answered)),
        ("- with boto3 inside the request", *_percentiles(direct_answered)),
    ]
    ratio = Spread.of(r.ratio_p50 for r in rounds)
    told = (
        f"COMMIT to call over a call inside the request, p50: {spread(ratio)}."
        f" Its p99 is {tail:.1f} x its p50.\n"
        f"{len(committed)} decisions on each side, each arrived once."
    )
    head = ("", "p50, ms", "p95, ms", "p99, ms")
    return section(f"Decision to call ({extent(size)})", table(head, rows), told)


def _compared(
    rounds: Sequence[intake.Round] | Sequence[decide.Round],
    portal: Callable[..., Reading],
    bare: Callable[..., Reading],
) -> list[tuple[str, ...]]:
    return [
        beside(name, rounds, partial(_of, portal, of), partial(_of, bare, of))
        for name, of in COMPARED
    ]


def _of(
    side: Callable[..., Reading],
    figure: Callable[[Reading], float],
    found: intake.Round | decide.Round,
) -> float:
    return figure(side(found))


def _sides(rounds: Sequence[decide.Round]) -> tuple[list[Reading], list[Reading]]:
    return [r.portal for r in rounds], [r.bare for r in rounds]


def _load(size: Size) -> str:
    return f"{extent(size)}, {size.connections} connections"


def _percentiles(samples: Sequence[float]) -> tuple[str, ...]:
    return tuple(number(percentile(samples, percent)) for percent in (50, 95, 99))
