"""Reading a history ends whatever AWS says, and what is not whole proves no absence."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from approvals.callbacks import history
from approvals.callbacks.gateway import Address, Answer, Page, PastEvent
from approvals.callbacks.history import Past, callback, read, steps
from approvals.states import Reply
from tests.fakes.gateway import ScriptedGateway

HERE = Address(1, "eu-west-1")
ARN = "3f1d/9c2e"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OK = Answer(Reply.ACCEPTED)


def event(number: int, kind: str, operation: str = "", **more: object) -> PastEvent:
    at = NOON + timedelta(seconds=number)
    return PastEvent(number, kind, operation or f"op{number}", f"name{number}", at, **more)  # type: ignore[arg-type]


def page(*events: PastEvent, then: str = "") -> Page:
    return Page(OK, events, then)


def told(*pages: Page) -> ScriptedGateway:
    gateway = ScriptedGateway()
    gateway.histories[ARN] = list(pages)
    return gateway


def test_pages_are_read_to_the_beginning() -> None:
    gateway = told(page(event(3, "StepStarted"), then="1"), page(event(1, "ExecutionStarted")))

    past = read(gateway, HERE, ARN)

    assert [e.number for e in past.events] == [3, 1]
    assert (past.is_whole, gateway.markers) == (True, ["", "1"])


def test_a_marker_that_repeats_ends_the_reading() -> None:
    gateway = told(page(event(2, "StepStarted"), then="1"), page(event(1, "StepStarted"), then="1"))

    past = read(gateway, HERE, ARN)

    assert (len(gateway.calls), len(past.events), past.is_whole) == (2, 2, False)


def test_a_page_that_brings_nothing_new_ends_the_reading() -> None:
    same = [event(1, "StepStarted")]
    gateway = told(*(page(*same, then=str(number + 1)) for number in range(9)))

    past = read(gateway, HERE, ARN)

    assert (len(gateway.calls), len(past.events), past.is_whole) == (2, 1, False)


def test_empty_pages_without_end_are_given_up() -> None:
    gateway = told(*(page(then=str(number + 1)) for number in range(history.MAX_PAGES + 9)))

    past = read(gateway, HERE, ARN)

    assert (len(gateway.calls), past.is_whole) == (history.MAX_PAGES, False)


def test_thousands_of_events_are_read_up_to_a_limit() -> None:
    numbers = itertools.count(100_000, -1)
    pages = [
        page(*(event(next(numbers), "StepStarted", "same") for _ in range(1000)), then=str(n + 1))
        for n in range(30)
    ]

    gateway = told(*pages)

    past = read(gateway, HERE, ARN)

    assert (len(past.events), past.is_whole) == (history.MAX_EVENTS, False)
    assert len(gateway.calls) == 5


def test_a_slow_history_is_left_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "READ_WITHIN", timedelta(0))
    gateway = told(page(event(2, "StepStarted"), then="1"), page(event(1, "StepStarted")))

    assert not read(gateway, HERE, ARN).is_whole
    assert len(gateway.calls) == 1


def test_a_page_that_is_denied_leaves_what_was_read_and_says_why() -> None:
    gateway = told(
        page(event(2, "StepStarted"), then="1"), Page(Answer(Reply.UNAVAILABLE, "AccessDenied: …"))
    )

    past = read(gateway, HERE, ARN)

    assert (past.answer.detail, len(past.events), past.is_whole) == ("AccessDenied: …", 1, False)


def test_a_gateway_that_raises_is_an_answer() -> None:
    gateway = ScriptedGateway()

    def burst(verb: str, name: str) -> None:
        raise ZeroDivisionError

    gateway.while_sending = burst

    assert read(gateway, HERE, ARN).answer.reply is Reply.UNAVAILABLE


def test_with_the_steps_to_show_and_the_callback_read_the_rest_is_left() -> None:
    many = [event(n, "StepStarted") for n in range(900, 650, -1)]
    start = event(600, "CallbackStarted", callback_id="id-1")
    gateway = told(page(*many, then="1"), page(start, then="2"), page(event(1, "StepStarted")))

    past = read(gateway, HERE, ARN, callback_ids=["id-1"])

    assert (len(gateway.calls), past.is_whole) == (2, False)


def test_a_callback_is_found_by_its_very_id_and_ends_with_its_own_operation() -> None:
    past = Past(
        OK,
        (
            event(5, "CallbackFailed", "b"),
            event(4, "CallbackSucceeded", "a"),
            event(2, "CallbackStarted", "b", callback_id="id-10"),
            event(1, "CallbackStarted", "a", callback_id="id-1"),
        ),
        is_whole=True,
    )

    found, other = callback(past, "id-1"), callback(past, "id-10")

    assert found is not None
    assert other is not None
    assert found.ended is not None
    assert other.ended is not None
    assert (found.ended.kind, other.ended.kind) == ("CallbackSucceeded", "CallbackFailed")
    assert callback(past, "id") is None


def test_a_callback_of_no_operation_takes_nobody_else_s_end() -> None:
    started = PastEvent(1, "CallbackStarted", "", callback_id="id-1")
    past = Past(OK, (PastEvent(2, "CallbackSucceeded", ""), started))

    found = callback(past, "id-1")

    assert found is not None
    assert found.ended is None


def test_steps_tell_attempts_and_states_in_order_of_time() -> None:
    events = (
        event(8, "ExecutionSucceeded"),
        event(7, "CallbackTimedOut", "c"),
        event(6, "ChainedInvokeStarted", "i"),
        event(5, "StepFailed", "s", attempt=2, retries=True),
        event(4, "StepStarted", "s"),
        event(3, "StepFailed", "s", attempt=1, retries=True),
        event(2, "StepStarted", "s"),
        event(1, "CallbackStarted", "c"),
    )

    told_steps, is_whole = steps(Past(OK, events, is_whole=True))

    assert is_whole
    assert [(s["id"], s["type"], s["status"], s["attempts"]) for s in told_steps] == [
        ("c", "Callback", "TIMED_OUT", 1),
        ("s", "Step", "RETRYING", 2),
        ("i", "Invoke", "STARTED", 1),
    ]
    assert told_steps[0]["ended_at"] == (NOON + timedelta(seconds=7)).isoformat()
    assert told_steps[1]["ended_at"] is None


def test_only_the_newest_steps_are_kept_and_that_is_said() -> None:
    events = tuple(event(n, "StepStarted") for n in range(history.MAX_STEPS + 5, 0, -1))

    kept, is_whole = steps(Past(OK, events, is_whole=True))

    assert (len(kept), kept[-1]["id"], is_whole) == (
        history.MAX_STEPS,
        f"op{history.MAX_STEPS + 5}",
        False,
    )


@pytest.mark.parametrize("kind", ["", "Step", "Stepstarted", "InvocationCompleted", "X" * 64])
def test_events_that_are_no_steps_make_none(kind: str) -> None:
    assert steps(Past(OK, (event(1, kind),), is_whole=True)) == ([], True)
