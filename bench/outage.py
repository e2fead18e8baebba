"""The broker is gone for a while: when decisions arrive, and what the clicks cost.

Decisions are made over the API at a steady pace, before, during and after. The broker is
killed, not stopped politely; whoever ends for want of it is started again afterwards, as
every supervisor does. A sweeper runs beside the worker, as in docker-compose.yml.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bench.figures import BenchError, Size, expect, percentile
from bench.house import House
from bench.messages import HOST, PROXY_HEADERS, Messages
from bench.resume import CallbackApi
from bench.tables import number, section, table

#: How often the sweeper comes by, as docker-compose.yml has it.
SWEEP = timedelta(seconds=5)
#: From one decision to the next.
PACE = timedelta(milliseconds=500)
#: Decisions before the outage and after it, to compare with.
AROUND = 10
#: After the broker is back; far beyond the goal, so that a miss shows as a figure.
ALL_WITHIN = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds. CLICKS: decision sent to answered, during the outage. ORDINARY: outside it.

    ARRIVING: from each of the outage's decisions, as sent, to its arrival. MEANWHILE: how
    many of them arrived before the broker was back.
    """

    outage: float
    clicks: list[float]
    ordinary: list[float]
    arriving: list[float]
    meanwhile: int


def measure(
    house: House, api: CallbackApi, size: Size, *, say: Callable[[str], None] = lambda _: None
) -> Found:
    """Decide through an outage of SIZE.outage in HOUSE.

    Raises:
        BenchError: a request failed, or a decision did not arrive exactly once.
    """
    house.start_workers()
    every = str(SWEEP.total_seconds())
    house.start("sweeper", "django", "run_sweeps", "--every", every)
    reviewer = _Reviewer(house, count=2 * AROUND + int(size.outage / PACE) + 1)
    ordinary = [reviewer.decide() for _ in range(AROUND)]
    os.kill(house.pids["valkey"], signal.SIGKILL)
    gone = time.time()
    say(f"the broker is gone for {size.outage.total_seconds():g} s")
    clicks = []
    before = len(reviewer.decided)
    while time.time() < gone + size.outage.total_seconds():
        clicks.append(reviewer.decide())
    during = reviewer.decided[before:]
    back = house.restart_what_ended("valkey")
    ordinary += [reviewer.decide() for _ in range(AROUND)]
    _await_all(house, api, reviewer.decided)
    return Found(
        outage=back - gone,
        clicks=clicks,
        ordinary=ordinary,
        arriving=[api.arrived[name] - reviewer.sent_at[name] for name in during],
        meanwhile=sum(api.arrived[name] <= back for name in during),
    )


def _await_all(house: House, api: CallbackApi, names: list[str]) -> None:
    if not house.tend_until(lambda: all(name in api.arrived for name in names), ALL_WITHIN):
        missing = sum(name not in api.arrived for name in names)
        raise BenchError(f"{missing} of {len(names)} decisions did not arrive.")
    with api.lock:
        calls = Counter(call.name for call in api.calls if call.verb == "succeed")
    expect([calls[name] for name in names], [1] * len(names), "calls for each decision")


class _Reviewer:
    """Opens COUNT requests, then approves one at a time, at a steady pace."""

    def __init__(self, house: House, *, count: int) -> None:
        self._house = house
        self._messages = Messages(
            slug=house.seeded["slug"], secret=house.seeded["secret"], series="outage"
        )
        self._ids = [self._open(number) for number in range(count)]
        self.decided: list[str] = []  # callback IDs
        self.sent_at: dict[str, float] = {}  # time.time() of each decision

    def decide(self) -> float:
        """Approve the next; how long the answer took, in seconds."""
        number = len(self.decided)
        headers = {
            **PROXY_HEADERS,
            "Authorization": f"Bearer {self._house.seeded['token']}",
            "Content-Type": "application/json",
        }
        name = self._messages.callback_id(number)
        self.sent_at[name] = time.time()
        began = time.monotonic()
        path = f"/api/v1/requests/{self._ids[number]}/decision"
        self._post(path, b'{"verdict": "approved"}', headers, wanted=200)
        took = time.monotonic() - began
        self.decided.append(name)
        time.sleep(max(0.0, PACE.total_seconds() - took))
        return took

    def _open(self, number: int) -> str:
        body = self._messages.body(number)
        headers = self._messages.headers(number, body)
        return str(json.loads(self._post(self._messages.path, body, headers, wanted=201))["id"])

    def _post(self, path: str, body: bytes, headers: dict[str, str], *, wanted: int) -> bytes:
        line = http.client.HTTPConnection(HOST, self._house.portal_port, timeout=30)
        try:
            line.request("POST", path, body, headers)
            response = line.getresponse()
            content = response.read()
        finally:
            line.close()
        expect(response.status, wanted, f"POST {path}: {content[:200]!r}; status")
        return content


def outage_table(found: Found) -> str:
    """What was found, with the goal's two figures: the slowest arrival, the slowest click."""
    rows = [
        ("during the outage", *_click_cells(found.clicks)),
        ("before and after", *_click_cells(found.ordinary)),
    ]
    told = (
        f"{len(found.clicks)} decisions while the broker was gone: {found.meanwhile} arrived"
        f" meanwhile, with a sweeper that comes by every {SWEEP.total_seconds():g} s. The slowest"
        f" arrived {max(found.arriving):.1f} s after it was sent, half of them within"
        f" {percentile(found.arriving, 50):.1f} s. Every decision arrived once, and no request"
        " failed."
    )
    head = ("decision sent to answered", "p50, ms", "slowest, ms")
    return section(f"Broker gone ({found.outage:.0f} s)", table(head, rows), told)


def _click_cells(seconds: list[float]) -> tuple[str, str]:
    return number(percentile(seconds, 50) * 1000), number(max(seconds) * 1000)
