"""The threads and the loop, with calls that end when the test says so."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from approvals.callbacks import delivery, executions, heartbeats, lanes
from approvals.callbacks.gateway import CALL_LIMIT, EXCHANGE_LIMIT
from approvals.callbacks.lanes import Lanes, Shift, run
from portal.env import Environment

SOON = timedelta(seconds=5)  # never waited for: a call is made to end first


def item(source_id: int, name: str = "") -> Any:
    return SimpleNamespace(source_id=source_id, name=name)


@pytest.fixture
def gate() -> Event:
    """Calls of source 1 hang until it is set."""
    return Event()


@pytest.fixture
def busy(gate: Event) -> Any:
    def send(row: Any) -> str:
        if row.source_id == 1:
            gate.wait(10)
        return str(row.name)

    made: Lanes[Any, str] = Lanes(send, threads=3, per_source=2)
    yield made
    gate.set()
    made.close()


@pytest.mark.parametrize("sweep", [delivery.deliver_due, heartbeats.beat_due, executions.look_due])
def test_a_call_begun_in_time_is_heard_before_celery_s_soft_limit(sweep: Any) -> None:
    budget = inspect.signature(sweep).parameters["budget"].default
    soft_limit = timedelta(seconds=settings.CELERY_TASK_SOFT_TIME_LIMIT)

    assert EXCHANGE_LIMIT < lanes.GRACE
    assert budget + lanes.GRACE + lanes.POLL < soft_limit


def test_a_lease_is_longer_than_any_call_begun_in_its_first_half() -> None:
    assert settings.DELIVERY_LEASE / 2 > CALL_LIMIT
    shortest = Environment.model_fields["delivery_lease_seconds"].metadata[0].ge
    assert timedelta(seconds=shortest) / 2 >= CALL_LIMIT


def test_a_source_has_no_more_than_its_lanes(busy: Any) -> None:
    busy.put([item(1), item(1), item(1), item(2, "other")])

    assert busy.crowded == [1]
    assert [name for _, name in busy.landed(SOON)] == ["other"]


def test_a_crowded_source_hangs_only_once_nothing_lands(
    busy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.put([item(1), item(1)])
    assert (busy.crowded, busy.hanging) == ([1], [])

    monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(0))
    assert busy.hanging == [1]


def test_lanes_are_jammed_when_hanging_calls_hold_every_thread(
    gate: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(0))
    jammed: Lanes[Any, bool] = Lanes(lambda _: gate.wait(10), threads=4, per_source=2)
    try:
        jammed.put([item(1), item(1), item(2)])
        before = jammed.are_jammed

        jammed.put([item(2), item(3, "waits")])
        assert (before, jammed.are_jammed) == (False, True)
        assert [row.name for row in jammed.recall()] == ["waits"]
        assert jammed.close() == []
    finally:
        gate.set()


def test_lanes_are_jammed_whichever_sources_hold_the_threads(
    gate: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread: Lanes[Any, bool] = Lanes(lambda _: gate.wait(10), threads=3, per_source=2)
    try:
        spread.put([item(1), item(1), item(2)])
        jammed = [spread.are_jammed]
        monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(0))
        assert [*jammed, spread.are_jammed] == [False, True]
    finally:
        gate.set()
        spread.close()


def test_what_waits_for_its_own_source_takes_no_room_from_others(busy: Any) -> None:
    busy.put([item(1) for _ in range(10)])

    assert busy.load == 2


def test_what_waits_is_sent_when_a_lane_is_free(busy: Any, gate: Event) -> None:
    busy.put([item(1, "first"), item(1, "second"), item(1, "third")])
    gate.set()

    names: list[str] = []
    while not busy.is_empty:
        names += [name for _, name in busy.landed(SOON)]

    assert sorted(names) == ["first", "second", "third"]


def test_what_was_never_sent_is_given_back(busy: Any) -> None:
    busy.put([item(1), item(1), item(1, "left")])

    assert [row.name for row in busy.close()] == ["left"]


@pytest.mark.django_db(transaction=True)
class TestRunning:
    def test_work_of_others_goes_on_while_a_source_hangs(self, busy: Any, gate: Event) -> None:
        due = [item(1), item(1), item(2, "a"), item(2, "b"), item(2, "c")]
        settled: list[str] = []

        def claim(number: int, crowded: Collection[int]) -> Sequence[Any]:
            free = [row for row in due if row.source_id not in crowded][:1]
            for row in free:
                due.remove(row)
            return free

        def settle(landed: Sequence[tuple[Any, str]]) -> None:
            settled.extend(name for _, name in landed)
            if {"a", "b", "c"} <= set(settled):
                gate.set()

        run(busy, Shift(SOON, room=3), claim=claim, settle=settle)

        assert settled[:3] == ["a", "b", "c"]
        assert len(settled) == 5

    def test_after_the_budget_nothing_new_is_sent(self, busy: Any) -> None:
        unsent: list[Any] = []
        run(
            busy,
            Shift(timedelta(0), room=3),
            claim=lambda number, crowded: pytest.fail("claimed after the budget"),
            settle=lambda landed: None,
            give_back=unsent.extend,
        )

        assert unsent == []

    def test_whoever_hangs_beyond_the_grace_is_left_behind(
        self, busy: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lanes, "GRACE", timedelta(milliseconds=50))
        due = [[item(1, "hangs"), item(1, "hangs"), item(1, "waits")]]

        unsent: list[Any] = []
        run(
            busy,
            Shift(timedelta(milliseconds=50), room=3),
            claim=lambda number, crowded: due.pop() if due else [],
            settle=lambda landed: pytest.fail("nothing has ended"),
            give_back=unsent.extend,
        )

        assert [row.name for row in unsent] == ["waits"]

    def test_what_was_never_sent_is_given_back_whatever_goes_wrong(self, busy: Any) -> None:
        due = [[item(1), item(1), item(1, "waits"), item(2)]]
        unsent: list[Any] = []

        def settle(_: Sequence[tuple[Any, str]]) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run(
                busy,
                Shift(SOON, room=3),
                claim=lambda number, crowded: due.pop() if due else [],
                settle=settle,
                give_back=unsent.extend,
            )

        assert [row.name for row in unsent] == ["waits"]

    def test_aws_is_never_asked_inside_a_transaction(self, busy: Any) -> None:
        with transaction.atomic(), pytest.raises(AssertionError):
            run(
                busy,
                Shift(SOON, room=3),
                claim=lambda number, crowded: [item(2)],
                settle=lambda landed: None,
            )


class TestWidth:
    def wide(self, send: Any, *, threads: int = 8) -> Lanes[Any, Any]:
        return Lanes(send, threads=threads, per_source=1, widest=3)

    def test_a_source_that_answers_promptly_earns_lanes_up_to_the_widest(self) -> None:
        made = self.wide(lambda row: row.name)
        widths = []
        for _ in range(4):
            made.put([item(1)])
            made.landed(SOON)
            widths.append(made.room(0)[1])
        made.close()

        assert widths == [2, 3, 3, 3]

    def test_the_first_answer_that_takes_long_costs_them_all(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.wide(lambda row: row.name)
        made.put([item(1)])
        made.landed(SOON)
        monkeypatch.setattr(lanes, "PROMPT", timedelta(0))
        made.put([item(1)])
        made.landed(SOON)
        made.close()

        assert made.room(0) == {1: 1}

    def test_a_lane_takes_its_next_call_without_being_fed(self, gate: Event) -> None:
        sent: list[str] = []

        def send(row: Any) -> None:
            sent.append(row.name)
            if row.name == "c":
                gate.set()

        made = self.wide(send)
        made.put([item(1, "a"), item(1, "b"), item(1, "c")])

        assert gate.wait(10)
        made.close()
        assert sorted(sent) == ["a", "b", "c"]


def test_sources_take_turns_at_a_single_thread() -> None:
    sent: list[int] = []
    made: Lanes[Any, None] = Lanes(lambda row: sent.append(row.source_id), threads=1, per_source=1)
    made.put([item(1), item(1), item(1), item(2), item(3)])
    while not made.is_empty:
        made.landed(SOON)
    made.close()

    assert sorted(sent[:3]) == [1, 2, 3]


def test_answers_are_gathered_until_they_are_enough_or_none_is_under_way(busy: Any) -> None:
    busy.put([item(2, "a"), item(3, "b")])
    assert len(busy.landed(SOON, gather=SOON, enough=2)) == 2

    busy.put([item(2, "c")])
    assert len(busy.landed(SOON, gather=SOON, enough=9)) == 1


def test_what_waits_for_one_source_can_be_taken_back_alone(busy: Any) -> None:
    busy.put([item(1), item(1), item(1, "waits"), item(2)])

    assert [row.name for row in busy.recall([1])] == ["waits"]
    assert busy.recall() == []


def test_a_send_that_raises_although_it_must_not_is_heard_of() -> None:
    broken: Lanes[Any, Any] = Lanes(lambda row: row.missing, threads=1, per_source=1)
    broken.put([item(1)])
    try:
        with pytest.raises(AttributeError):
            broken.landed(SOON)
    finally:
        broken.close()
