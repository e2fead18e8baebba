"""What the queue's run found, as Markdown, each figure beside its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench import queue
from bench.figures import Size, Spread
from bench.queue import Found, Round, Sql
from bench.sides import Reading
from bench.tables import extent, middle, number, section, spread, table


def queue_table(found: Found, size: Size) -> str:
    title = f"Queue ({extent(size)}, {size.connections} connections)"
    many = f"{size.pending:,} pending and {size.closed:,} closed"
    where = (
        f"{size.few:,} pending at first, then {many} in the same database."
        " 200 teams, the reviewer in five of them."
    )
    return section(title, where, _sql(found), _told(found), _cpu(found), _rendered(found))


def _sql(found: Found) -> str:
    few, many = found.few, found.many
    deepest = max(many.deep, key=lambda page: page.total_ms)
    rows = [
        _sql_row("first page", few.first, many.first),
        _sql_row("- its longest statement", few.first, many.first, lambda page: page.longest_ms),
        _sql_row("a page deep down", max(few.deep, key=lambda page: page.total_ms), deepest),
        *(
            _sql_row(f"search: {name}", few.searches[name], page)
            for name, page in many.searches.items()
        ),
        _sql_row("unchanged poll of the queue", few.news, many.news),
        _sql_row("unchanged poll of a request", few.panel, many.panel),
    ]
    return table(("SQL, ms", "statements", "few", "many", "ratio"), rows)


def _sql_row(
    name: str, few: Sql, many: Sql, of: Callable[[Sql], float] = lambda page: page.total_ms
) -> tuple[str, ...]:
    counted = len(many.statements) if "longest" not in name else 1
    return name, str(counted), number(of(few)), number(of(many)), f"{of(many) / of(few):.2f}"


def _told(found: Found) -> str:
    many = found.many
    deepest = max(page.total_ms for page in many.deep)
    scans = "; ".join(many.scans) or "none"
    search = many.searches["all, deep down"].total_ms / many.searches["all"].total_ms
    return (
        f"Deep down over the first page: {deepest / many.first.total_ms:.2f} (goal: 2);"
        f" of a search {search:.2f}."
        f" Big tables read from end to end: {scans}."
        " At first nothing is closed, and a search of that meets an empty list."
    )


def _cpu(found: Found) -> str:
    rounds = found.rounds
    rows = [
        _cpu_row(name, rounds, of)
        for name, of in (
            ("page of 50", lambda r: r.page),
            ("unchanged poll of the queue", lambda r: r.news),
            ("unchanged poll of a request", lambda r: r.panel),
        )
    ]
    head = ("CPU, ms", "app server", "PostgreSQL", "both", "of the page")
    return table(head, rows)


def _cpu_row(name: str, rounds: Sequence[Round], of: Callable[[Round], Reading]) -> tuple[str, ...]:
    readings = [of(r) for r in rounds]
    share = Spread.of(of(r).cpu_ms / r.page.cpu_ms for r in rounds)
    return (
        name,
        middle(reading.app_ms for reading in readings),
        middle(reading.postgres_ms for reading in readings),
        middle(reading.cpu_ms for reading in readings),
        spread(share) if name != "page of 50" else "1",
    )


def _rendered(found: Found) -> str:
    drawn = found.many.rendered
    ratio = Spread.of(turn["portal"] / turn["plain"] for turn in drawn)
    return (
        f"Rendering {queue.PAGE_ROWS} rows, CPU: {middle(turn['portal'] for turn in drawn)} ms; one"
        f" plain loop with the same cells {middle(turn['plain'] for turn in drawn)} ms; ratio"
        f" {spread(ratio)}."
    )
