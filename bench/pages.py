"""What pages cost inside one process: python -m bench.pages ROUNDS OUT

A process of its own, as Django's settings are the portal's here. OUT receives JSON: the
statements of a queue page and of both polls with their least time of REPEATS, first and
deep; how long templates take to render; and how to ask for the same over HTTP.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django

from portal.embedded.ground import write_private

REPEATS = 15
HOST = "127.0.0.1"
#: How far down the queue one looks, as a share of the way to its last whole page.
DEPTHS = (0.5, 0.9, 1.0)
RENDERS = 12
FIRST = "/requests/?view=needs-me"
BIG_TABLES = (
    "approvals_approvalrequest",
    "approvals_assignment",
    "approvals_decision",
    "approvals_searchtext",
)
CELLS = Path(__file__).with_name("cells.html")


def main(rounds: int, out: Path) -> None:
    django.setup()
    client = _client("ada")
    deep = _deep_addresses("ada")
    news, panel = _polls(client)
    searches = _searches(client, deep)
    found = {
        "pages": [_timed(client, address) for address in (FIRST, *deep)],
        "polls": [_timed(client, *poll) for poll in (news, panel)],
        "searches": {name: _timed(client, each) for name, each in searches.items()},
        "scans": sorted(
            {line for each in (FIRST, *searches.values()) for line in _scans(client, each)}
        ),
        "rendered": _rendered(client, rounds),
        "cookie": "; ".join(f"{name}={m.value}" for name, m in client.cookies.items()),
        "page": FIRST,
        "news": news,
        "panel": panel,
    }
    write_private(out, json.dumps(found))


def _client(username: str) -> Any:
    from django.test import Client  # noqa: PLC0415 - as all below: Django must be set up

    from approvals.models import User  # noqa: PLC0415

    client = Client(SERVER_NAME=HOST, headers={"X-Forwarded-Proto": "https"})
    client.force_login(User.objects.get(username=username))
    return client


def _deep_addresses(username: str) -> list[str]:
    from approvals.models import User  # noqa: PLC0415
    from approvals.models.listing import PAGE_SIZE, Place  # noqa: PLC0415
    from approvals.models.queue import Walk  # noqa: PLC0415
    from approvals.review.cursors import to_cursor  # noqa: PLC0415

    sql, values = Walk.needing(User.objects.get(username=username)).statement(10**8, 10**8)
    with django.db.connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    last_whole = max(0, len(rows) - PAGE_SIZE - 1)
    places = [Place(*rows[int(last_whole * depth)]) for depth in DEPTHS]
    return [f"{FIRST}&cursor={to_cursor(place)}" for place in places]


def _searches(client: Any, deep: list[str]) -> dict[str, str]:
    """Searches for a word of one request, of a few hundred, and of all, the last also deep down;
    and for that of a few among what was closed."""
    _expect_true_words()
    text = client.get(FIRST).content.decode()
    order, person = _found(r"NO-(\d{8})", text), _found(r"(requester-\d+)", text)
    common = f"{FIRST}&q=release+order"
    return {
        "one": f"{FIRST}&q={order}",
        "some": f"{FIRST}&q={person}",
        "all": common,
        "all, deep down": f"{common}&cursor={deep[0].partition('&cursor=')[2]}",
        "closed": f"/requests/?view=closed&q={person}",
    }


def _expect_true_words() -> None:
    """What crowd.py wrote of the youngest is what the portal's own sweep would write."""
    with django.db.connection.cursor() as cursor:
        cursor.execute(
            "SELECT words::text, approvals_words_of(request_id)::text FROM approvals_searchtext"
            " ORDER BY request_id DESC LIMIT 1"
        )
        written, true = cursor.fetchone()
    if written != true:
        raise SystemExit(f"Generated requests have other words: {written}, not {true}")


def _polls(client: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    """Address and version of the queue's poll, and of the panel of the request last in it."""
    text = client.get(FIRST).content.decode()
    news = unescape(_found(r'hx-get="([^"]*news[^"]*)"', text))
    panel = re.findall(r'class="row-link" href="([^"?]+)', text)[-1] + "panel/"
    return (news, client.get(news)["HX-PTag"]), (panel, client.get(panel)["HX-PTag"])


def _timed(client: Any, address: str, version: str = "") -> dict[str, Any]:
    """The least milliseconds of REPEATS of each statement of ADDRESS."""
    headers = {"HX-PTag": version} if version else {}
    runs = []
    for _ in range(REPEATS):
        with _statements() as taken:
            answer = client.get(address, headers=headers)
        if answer.status_code != (304 if version else 200):
            raise SystemExit(f"GET {address}: {answer.status_code}")
        runs.append(taken)
    milliseconds = [[ms for _, _, ms in run] for run in runs]
    return {
        "statements": [text for text, _, _ in runs[0]],
        "ms": [min(times) for times in zip(*milliseconds, strict=True)],
        "rows": answer.content.count(b'class="row-link"'),
    }


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any, float]]]:
    """Every statement run inside: its text, its values, its milliseconds."""
    taken: list[tuple[str, Any, float]] = []

    def clock(execute: Callable[..., Any], text: str, values: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(text, values, many, context)
        finally:
            taken.append((text, values, (time.perf_counter() - began) * 1000))

    with django.db.connection.execute_wrapper(clock):
        yield taken


def _scans(client: Any, address: str) -> list[str]:
    """The big tables that a statement of the page at ADDRESS reads from end to end."""
    with _statements() as taken:
        client.get(address)
    plans = []
    with django.db.connection.cursor() as cursor:
        for text, values, _ in taken:
            if text.lstrip("( ").startswith("SELECT"):
                cursor.execute(f"EXPLAIN {text}", values)
                plans += [line for (line,) in cursor.fetchall()]
    return [line for line in plans if "Seq Scan" in line and any(t in line for t in BIG_TABLES)]


def _rendered(client: Any, rounds: int) -> list[dict[str, float]]:
    """CPU milliseconds of the queue's template and of one plain loop, in turns."""
    from django.shortcuts import render  # noqa: PLC0415, TID251
    from django.template import engines  # noqa: PLC0415

    view = sys.modules["approvals.review.views.queue"]
    with patch.object(view, "render", wraps=render) as drawn:
        client.get(FIRST)
    request, _, context = drawn.call_args.args
    plain = engines["django"].from_string(CELLS.read_text(encoding="utf-8"))
    sides: dict[str, Callable[[], Any]] = {
        "portal": lambda: render(request, "queue/list.html", context),
        "plain": lambda: plain.render(context, request),
    }
    return [
        {name: _cpu_ms(sides[name]) for name in sorted(sides, reverse=bool(number % 2))}
        for number in range(rounds)
    ]


def _cpu_ms(draw: Callable[[], Any]) -> float:
    draw()
    began = time.process_time()
    for _ in range(RENDERS):
        draw()
    return (time.process_time() - began) / RENDERS * 1000


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"The queue's page has no {pattern}.")
    return found.group(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
