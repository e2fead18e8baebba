"""The client alone: no Django, no database, a portal that answers as scripted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import countersign
import pytest

from tests.client.standin import SECRET, StandInPortal, serving

CALLBACK_ID = "Ab9hZXj+/" * 20 + "=="


class Clock:
    """Time that passes only where the client sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.pauses: list[float] = []

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(countersign, "monotonic", clock.read)
    monkeypatch.setattr(countersign, "time", clock.read)
    monkeypatch.setattr(countersign, "sleep", clock.sleep)
    return clock


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInPortal]:
    server = StandInPortal()
    monkeypatch.setenv("COUNTERSIGN_URL", server.url)
    monkeypatch.setenv("COUNTERSIGN_SOURCE", "shop")
    monkeypatch.setenv("COUNTERSIGN_SECRET", SECRET)
    with serving(server):
        yield server


@pytest.fixture
def ask() -> Callable[..., countersign.Submitted]:
    """request_approval with the callback ID and title filled in."""

    def ask(**arguments: Any) -> countersign.Submitted:
        named = {"callback_id": CALLBACK_ID, "title": "Release order 7", **arguments}
        return countersign.request_approval(**named)

    return ask
