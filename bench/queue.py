"""The queue: a page and its polls, with few requests in the database and with millions.

SQL is timed in a process of its own (pages.py); CPU is that of the server and of
PostgreSQL while pages and unchanged polls are asked for over HTTP, in turns.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from bench import load
from bench.crowd import Crowd
from bench.figures import Size, expect
from bench.house import House
from bench.messages import PROXY_HEADERS, Messages, as_http
from bench.sides import Reading, Side, read, turns

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Sql:
    """One address: its statements, and the least milliseconds of each."""

    statements: list[str]
    ms: list[float]
    rows: int

    @property
    def total_ms(self) -> float:
        return sum(self.ms)

    @property
    def longest_ms(self) -> float:
        return max(self.ms)


@dataclass(frozen=True, slots=True)
class Look:
    """What one process saw at one size. SCANS: big tables read from end to end."""

    first: Sql
    deep: list[Sql]
    news: Sql
    panel: Sql
    searches: dict[str, Sql]
    scans: list[str]
    rendered: list[dict[str, float]]
    asked: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """The page, and the two polls answered 304, over HTTP."""

    page: Reading
    news: Reading
    panel: Reading


@dataclass(frozen=True, slots=True)
class Found:
    few: Look
    many: Look
    rounds: list[Round]


def measure(house: House, size: Size, *, say: Callable[[str], None] = lambda _: None) -> Found:
    """Fill HOUSE's database and look at the queue at both ends.

    Raises:
        BenchError: a page was not whole, or a poll was not answered 304.
    """
    _open_the_original(house)
    with psycopg.connect(house.database_url, autocommit=True) as database:
        crowd = Crowd(database, say=say)
        crowd.add(pending=size.few, closed=0)
        few = _look(house, rounds=1)
        crowd.add(pending=size.pending - size.few, closed=size.closed)
    many = _look(house, rounds=size.rounds)
    bench = _Bench(house, size, many.asked)
    bench.warm_up()
    rounds = []
    for number in range(size.rounds):
        rounds.append(bench.round(number))
        say(f"queue, round {number + 1} of {size.rounds}: done")
    return Found(few, many, rounds)


def _open_the_original(house: House) -> None:
    """One request, decided by the portal: what all others are copies of."""
    seeded = house.seeded
    messages = Messages(slug=seeded["slug"], secret=seeded["secret"], series="original")
    span = timedelta(seconds=60)
    opened = load.run(house.portal_port, messages.http, connections=1, span=span, most=2)
    expect(set(opened.statuses), {201}, "the first requests")
    with psycopg.connect(house.database_url) as database:
        row = database.execute(
            "SELECT public_id::text FROM approvals_approvalrequest ORDER BY id LIMIT 1"
        ).fetchone()
    headers = {
        **PROXY_HEADERS,
        "Authorization": f"Bearer {seeded['token']}",
        "Content-Type": "application/json",
    }
    path = f"/api/v1/requests/{row[0] if row else ''}/decision"
    decision = as_http("POST", path, headers, b'{"verdict": "approved"}')
    decided = load.run(house.portal_port, lambda _: decision, connections=1, span=span, most=1)
    expect(set(decided.statuses), {200}, "the first decision")


def _look(house: House, *, rounds: int) -> Look:
    out = house.folder / "pages.json"
    house.run("pages", "bench.pages", str(rounds), str(out))
    found = json.loads(out.read_text(encoding="utf-8"))
    first, *deep = (Sql(**page) for page in found["pages"])
    news, panel = (Sql(**poll) for poll in found["polls"])
    expect({page.rows for page in (first, *deep)}, {PAGE_ROWS}, "rows of a page")
    searches = {name: Sql(**page) for name, page in found["searches"].items()}
    return Look(first, deep, news, panel, searches, found["scans"], found["rendered"], found)


class _Bench:
    def __init__(self, house: House, size: Size, asked: dict[str, Any]) -> None:
        self._house = house
        self._size = size
        self._side = Side("portal", house.portal_port)
        common = {**PROXY_HEADERS, "Cookie": asked["cookie"]}
        self._wanted = {
            "page": (as_http("GET", asked["page"], common), 200),
            **{
                name: (as_http("GET", path, {**common, "HX-PTag": version}), 304)
                for name, (path, version) in ((n, asked[n]) for n in ("news", "panel"))
            },
        }

    def warm_up(self) -> None:
        for name in self._wanted:
            self._read(name, self._size.warm_up)

    def round(self, number: int) -> Round:
        names = turns(list(self._wanted), number)
        return Round(**{name: self._read(name, self._size.span) for name in names})

    def _read(self, name: str, span: timedelta) -> Reading:
        request, status = self._wanted[name]
        return read(
            self._house, self._side, self._size, lambda _: request, status=status, span=span
        )
