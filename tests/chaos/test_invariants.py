"""The checker itself: a storm without blemish passes, and each blemish is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.chaos.crowd import Heard, Vote
from tests.chaos.invariants import Evidence, violations
from tests.chaos.record import Call, Record

CALLBACK, REQUEST = "c" * 64, "0197-a"


def _call(**facts: Any) -> Call:
    usual: dict[str, Any] = {
        "at": 10.0, "verb": "succeed", "callback": CALLBACK, "body": "b", "fault": "",
        "effect": True, "status": 200, "done": 10.1,
    }  # fmt: skip
    return Call(**usual | facts)


def _blameless() -> Evidence:
    said = Vote(REQUEST, "ada", "approved", Heard("decide", 9.0, 0.1, 200))
    row = {
        "id": REQUEST,
        "callback": CALLBACK,
        "state": "approved",
        "required": 1,
        "received_at": 8.0,
        "lines": ["request.received", "request.approved", "delivery.delivered"],
        "beats_on": False,
        "decisions": [["ada", "approved", "person"]],
        "delivery": {
            "state": "delivered", "verb": "succeed", "body": "b", "attempts": 1,
            "owed_at": 9.0, "settled_at": 10.2, "told_at": 10.2, "detail": "",
        },
    }  # fmt: skip
    return Evidence(
        rows=[row],
        record=Record(calls=[_call()]),
        posted={CALLBACK},
        opened={REQUEST: CALLBACK},
        votes=[said],
        heard=[said.heard],
        lease=timedelta(seconds=60),
        patience=timedelta(seconds=10),
        silence=timedelta(seconds=90),
    )


def test_a_storm_without_blemish_is_blameless() -> None:
    assert violations(_blameless()) == []


def _delivery(facts: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = facts.rows[0]["delivery"]
    return found


BLEMISHES: dict[str, Callable[[Evidence], Any]] = {
    "nobody decided": lambda f: f.rows[0].update(delivery=None),
    "other words": lambda f: _delivery(f).update(body="other"),
    "with effect twice": lambda f: f.record.calls.append(_call(at=90.0)),
    "still pending": lambda f: f.rows[0].update(state="pending"),
    "still owed": lambda f: _delivery(f).update(state="pending"),
    "owes no answer": lambda f: f.rows[0].update(delivery=None),
    "never took it": lambda f: setattr(f.record.calls[0], "effect", False),
    "and AWS took it": lambda f: _delivery(f).update(state="undeliverable"),
    "and AWS waited": lambda f: _delivery(f).update(state="undeliverable"),
    "stayed unconfirmed": lambda f: _delivery(f).update(state="unconfirmed"),
    "and its history went on": lambda f: f.rows[0]["lines"].append("delivery.retrying"),
    "two attempts under way": lambda f: f.record.calls.append(_call(at=10.05, effect=False)),
    "1 were written": lambda f: f.record.calls.append(_call(at=90.0, effect=False)),
    "heart still beats": lambda f: f.rows[0].update(beats_on=True),
    "beat long after": lambda f: f.record.calls.append(_call(verb="heartbeat", at=99.0)),
    "was silent for 91 s": lambda f: f.rows[0].update(received_at=-81.0),
    "is not there": lambda f: f.opened.update({"another": CALLBACK}),
    "never posted": lambda f: f.posted.clear(),
    "no first line": lambda f: f.rows[0].update(lines=["request.approved"]),
    "has 2 requests": lambda f: f.rows.append(copy.deepcopy(f.rows[0])),
    "has no decision": lambda f: f.rows[0].update(decisions=[]),
    "never said": lambda f: f.votes.clear(),
    "by 1 for and 0 against": lambda f: f.rows[0].update(required=2),
    "though 1 for": lambda f: f.rows[0].update(state="pending"),
    "history says otherwise": lambda f: f.rows[0]["lines"].append("request.rejected"),
    "was answered 500": lambda f: f.heard.append(Heard("open", 1.0, 0.1, 500)),
}


@pytest.mark.parametrize("named", BLEMISHES)
def test_each_blemish_is_named(named: str) -> None:
    facts = _blameless()

    BLEMISHES[named](facts)

    assert any(named in told for told in violations(facts)), violations(facts)


def test_a_second_attempt_after_the_lease_is_no_blemish() -> None:
    facts = _blameless()
    _delivery(facts)["attempts"] = 2
    first = _call(effect=False, done=200.0)

    facts.record.calls[:] = [first, _call(at=71.0)]

    assert violations(facts) == []


def test_a_second_attempt_after_the_first_had_waited_in_vain_is_no_blemish() -> None:
    facts = _blameless()
    _delivery(facts)["attempts"] = 2

    facts.record.calls[:] = [_call(effect=False, done=40.0), _call(at=20.5)]

    assert violations(facts) == []


def test_a_beat_before_a_lost_answer_is_known_is_no_blemish() -> None:
    facts = _blameless()
    _delivery(facts)["told_at"] = 80.0  # a history told so, of an answer taken at 10.2

    facts.record.calls.append(_call(verb="heartbeat", at=75.0, effect=False))

    assert violations(facts) == []


def test_what_was_answered_elsewhere_may_be_undeliverable() -> None:
    facts = _blameless()
    _delivery(facts)["state"] = "undeliverable"
    facts.record.calls[0].effect = False

    elsewhere = Record(facts.record.calls, {CALLBACK: ("elsewhere", 9.5)})

    assert violations(replace(facts, record=elsewhere)) == []
