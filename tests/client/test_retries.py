"""When the client tries again, how long it waits, and when it gives up."""

from __future__ import annotations

import random
from collections.abc import Callable

import countersign
import pytest

from tests.client.conftest import Clock
from tests.client.standin import Answer, StandInPortal

Ask = Callable[..., countersign.Submitted]

BUSY = Answer(503, {"title": "Busy"})


def test_server_errors_are_tried_again_with_the_same_bytes_and_a_fresh_timestamp(
    portal: StandInPortal, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 2.0)
    portal.answers.extend([BUSY, BUSY])

    assert ask()["state"] == "pending"

    assert len({received.body for received in portal.received}) == 1
    stamps = [int(r.header("webhook-timestamp")) for r in portal.received]
    assert stamps == [1_000_000, 1_000_002, 1_000_004]
    assert len({r.header("webhook-signature") for r in portal.received}) == 3


def test_pauses_are_drawn_from_a_doubling_range_with_a_ceiling(
    portal: StandInPortal, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[tuple[float, float]] = []

    def lowest(low: float, high: float) -> float:
        ranges.append((low, high))
        return low

    monkeypatch.setattr(random, "uniform", lowest)
    portal.answers.extend([BUSY] * 7)

    ask()

    assert [low for low, _ in ranges] == [0] * 7
    assert [high for _, high in ranges] == [0.25, 0.5, 1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    "fault",
    [
        Answer(hang_up=True),
        Answer(201, {"id": "x" * 100}, cut=50),
        Answer(500, body=b"<html>"),
        Answer(502, body=b""),
        Answer(429, {"title": "Slow down"}),
    ],
    ids=["connection lost", "answer cut short", "500", "502", "429"],
)
def test_a_fault_that_may_pass_is_tried_again(
    portal: StandInPortal, ask: Ask, clock: Clock, fault: Answer
) -> None:
    portal.answers.append(fault)

    assert ask()["state"] == "pending"

    assert len(portal.received) == 2


def test_retry_after_is_waited_for(portal: StandInPortal, ask: Ask, clock: Clock) -> None:
    portal.answers.append(Answer(429, {}, {"Retry-After": "7"}))

    ask()

    (pause,) = clock.pauses
    assert 7 <= pause <= 7.25


def test_retry_after_may_be_a_date(portal: StandInPortal, ask: Ask, clock: Clock) -> None:
    ten_seconds_on = "Mon, 12 Jan 1970 13:46:50 GMT"
    portal.answers.append(Answer(503, {}, {"Retry-After": ten_seconds_on}))

    ask()

    assert 10 <= clock.pauses[0] <= 10.25


@pytest.mark.parametrize("nonsense", ["soon", "-5", "Mon, 99 Nov 2026", "Mon, 12 Jan 1970"])
def test_an_unreadable_retry_after_counts_as_none(
    portal: StandInPortal, ask: Ask, clock: Clock, nonsense: str
) -> None:
    portal.answers.append(Answer(503, {}, {"Retry-After": nonsense}))

    ask()

    assert clock.pauses[0] <= 0.25


def test_a_retry_after_beyond_the_budget_is_not_slept_for(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    portal.answers.append(Answer(429, {}, {"Retry-After": "3600"}))

    with pytest.raises(countersign.ApprovalUnavailable, match="429"):
        ask()

    assert clock.pauses == []


def test_the_budget_bounds_all_attempts_together(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    portal.answers.extend([BUSY] * 200)

    with pytest.raises(countersign.ApprovalUnavailable, match="503"):
        ask(budget_seconds=30.0)

    assert sum(clock.pauses) < 30
    assert len(portal.received) == len(clock.pauses) + 1 > 3


def test_an_answer_that_trickles_in_does_not_outlast_the_budget(clock: Clock) -> None:
    class Trickle:
        length, status = None, 201

        def read1(self, _size: int) -> bytes:
            clock.sleep(1)
            return b" "

    with pytest.raises(TimeoutError):
        countersign._read(Trickle(), deadline=clock.now + 20)  # type: ignore[arg-type]

    assert len(clock.pauses) == 20


def test_nobody_listening_is_unavailable_and_says_so(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    with pytest.raises(countersign.ApprovalUnavailable, match="ConnectionRefusedError"):
        ask(url="http://127.0.0.1:1", budget_seconds=5.0)

    assert clock.pauses
