"""However a callback ends, it is read as one outcome, and never as a false approval."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, get_args

import countersign
import pytest
from aws_durable_execution_sdk_python import (
    CallbackError,
    CallbackExternalError,
    CallbackSubmitterError,
    CallbackTimeoutError,
    StepError,
)
from aws_durable_execution_sdk_python.exceptions import SuspendExecution
from countersign import MalformedOutcome

HASH = "ab" * 32
KINDS = get_args(countersign.Kind)


def document(**changes: Any) -> dict[str, Any]:
    """What the portal sends when Dana approves."""
    return {
        "outcome": "approved",
        "request_id": "0197-request",
        "decision_id": "0197-decision",
        "decided_by": ["dana"],
        "decided_at": "2026-11-20T12:01:03Z",
        "comment": "Address checked by phone",
        "values": {"delivery": "standard"},
        "payload_sha256": HASH,
        "cause": "person",
        **changes,
    }


class FinishedCallback:
    """Ends as told: gives RESULT back, or raises it."""

    def __init__(self, result: object) -> None:
        self._result = result

    def result(self) -> Any:
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result


EDITS = {"/amount": "280.80", "/items": 9007199254740993, "/rate": 0.125, "/restock": False}
EDITED = {
    "edits": EDITS,
    "final_payload": {"amount": "280.80", "items": 9007199254740993, "rate": 0.125},
    "final_payload_sha256": "ef" * 32,
}


def test_an_edited_approval_hands_on_what_was_approved_with_its_types() -> None:
    outcome = countersign.outcome_of(json.dumps(document(**EDITED)))

    assert outcome.edits == EDITS
    assert [type(value) for value in outcome.edits.values()] == [str, int, float, bool]
    assert outcome.payload({"amount": "312.00"}) == EDITED["final_payload"]
    assert (outcome.approved_sha256, outcome.payload_sha256) == ("ef" * 32, HASH)


def test_an_approval_that_was_not_edited_is_of_what_was_sent() -> None:
    outcome = countersign.outcome_of(document())

    assert outcome.payload({"amount": "312.00"}) == {"amount": "312.00"}
    assert (dict(outcome.edits), outcome.approved_sha256) == ({}, HASH)


def test_who_expects_what_was_sent_gets_no_edited_approval_unless_they_say_so() -> None:
    edited = FinishedCallback(json.dumps(document(**EDITED)))

    with pytest.raises(MalformedOutcome, match="another payload"):
        countersign.await_outcome(edited, expect_payload_sha256=HASH)
    assert countersign.await_outcome(edited, expect_payload_sha256=HASH, editable=True).approved
    with pytest.raises(MalformedOutcome, match="another payload"):
        countersign.await_outcome(edited, expect_payload_sha256="cd" * 32, editable=True)


@pytest.mark.parametrize("missing", EDITED)
def test_half_an_edit_is_no_approval(missing: str) -> None:
    told = document(**{name: value for name, value in EDITED.items() if name != missing})

    with pytest.raises(MalformedOutcome, match="was edited, and does not say"):
        countersign.outcome_of(told)


@pytest.mark.parametrize("read", [json.dumps, dict], ids=["text", "parsed by a serdes"])
def test_an_approval_carries_who_when_and_why(read: Any) -> None:
    outcome = countersign.outcome_of(read(document()))

    assert outcome == countersign.Outcome(
        kind="approved",
        request_id="0197-request",
        decision_id="0197-decision",
        decided_by=("dana",),
        decided_at=datetime(2026, 11, 20, 12, 1, 3, tzinfo=UTC),
        comment="Address checked by phone",
        values={"delivery": "standard"},
        payload_sha256=HASH,
        cause="person",
        raw=document(),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_only_approved_is_approved(kind: str) -> None:
    outcome = countersign.outcome_of(json.dumps(document(outcome=kind, approved=True)))

    assert outcome.kind == kind
    assert outcome.approved is (kind == "approved")


@pytest.mark.parametrize(
    "result",
    [
        None,
        "",
        "approve",
        '"approved"',
        "true",
        "null",
        '["approved"]',
        '{"outcome": "approved"',
        '{"outcome": "Approved"}',
        '{"outcome": true}',
        '{"outcome": ["approved"]}',
        "[" * 100_000,
        {},
        ["approved"],
        True,
    ],
    ids=repr,
)
def test_what_is_not_the_portals_document_is_no_outcome(result: Any) -> None:
    with pytest.raises(MalformedOutcome):
        countersign.outcome_of(result)


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": None},
        {"request_id": ""},
        {"decision_id": None},
        {"decision_id": 7},
        {"decided_by": None},
        {"decided_by": []},
        {"decided_by": "dana"},
        {"decided_by": [None]},
        {"decided_at": None},
        {"decided_at": "yesterday"},
        {"decided_at": "2026-11-20T12:01:03"},
        {"payload_sha256": None},
        {"comment": 7},
        {"values": ["delivery"]},
        {"cause": {}},
    ],
    ids=repr,
)
def test_half_an_approval_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedOutcome):
        countersign.outcome_of(json.dumps(document(**change)))


@pytest.mark.parametrize("cause", ["clock", "policy"])
def test_a_rule_may_approve_in_nobodys_name(cause: str) -> None:
    outcome = countersign.outcome_of(json.dumps(document(decided_by=[], cause=cause)))

    assert outcome.approved
    assert outcome.cause == cause


def test_a_withdrawal_needs_no_decision() -> None:
    sent = document(outcome="withdrawn", decision_id=None, decided_by=[], cause="source")

    assert countersign.outcome_of(json.dumps(sent)).decision_id is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "approved"])
def test_a_failed_callback_is_read_from_its_data(kind: str) -> None:
    sent = document(outcome=kind, comment="Card looks stolen")
    error = CallbackExternalError("Dana rejected it.", data=json.dumps(sent))

    outcome = countersign.outcome_from_error(error)

    assert outcome is not None
    assert (outcome.kind, outcome.comment) == (kind, "Card looks stolen")


def test_a_failed_callback_never_approves() -> None:
    error = CallbackExternalError("odd", data=json.dumps(document()))

    with pytest.raises(MalformedOutcome):
        countersign.outcome_from_error(error)


@pytest.mark.parametrize("data", [None, "", "not ours"])
def test_a_failure_that_the_portal_did_not_send_is_no_outcome(data: str | None) -> None:
    with pytest.raises(MalformedOutcome):
        countersign.outcome_from_error(CallbackExternalError("Failed by hand", data=data))


@pytest.mark.parametrize("message", ["Callback timed out", "Callback timed out on heartbeat"])
def test_lambdas_own_clock_is_an_expiry_without_a_document(message: str) -> None:
    outcome = countersign.outcome_from_error(CallbackTimeoutError(message))

    assert outcome is not None
    assert (outcome.kind, outcome.cause, outcome.comment) == ("expired", "clock", message)
    assert (outcome.decided_by, outcome.decided_at, dict(outcome.raw)) == ((), None, {})


@pytest.mark.parametrize(
    "error",
    [
        CallbackSubmitterError("The submitter failed", data=json.dumps(document())),
        CallbackError("Callback operation must exist"),
        StepError("The step failed", data=json.dumps(document())),
        ValueError("unrelated"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_no_outcome_and_are_raised_on(error: Exception) -> None:
    assert countersign.outcome_from_error(error) is None
    with pytest.raises(type(error)) as caught:
        countersign.await_outcome(FinishedCallback(error))
    assert caught.value is error


def test_a_plain_callback_error_of_an_older_sdk_is_read_too() -> None:
    error = CallbackError("Rejected", data=json.dumps(document(outcome="rejected")))

    outcome = countersign.outcome_from_error(error)

    assert outcome is not None
    assert outcome.kind == "rejected"


def test_waiting_is_not_disturbed() -> None:
    with pytest.raises(SuspendExecution):
        countersign.await_outcome(FinishedCallback(SuspendExecution("not yet")))


def test_await_outcome_hides_whether_the_callback_succeeded_or_failed() -> None:
    rejected = json.dumps(document(outcome="rejected"))

    by_success = countersign.await_outcome(FinishedCallback(rejected))
    by_failure = countersign.await_outcome(
        FinishedCallback(CallbackExternalError("no", data=rejected))
    )

    assert by_success == by_failure


@pytest.mark.parametrize("failed", [False, True])
def test_an_outcome_about_another_payload_is_refused(failed: bool) -> None:
    sent = json.dumps(document(outcome="rejected"))
    callback = FinishedCallback(CallbackExternalError("no", data=sent) if failed else sent)

    assert countersign.await_outcome(callback, expect_payload_sha256=HASH).kind == "rejected"
    with pytest.raises(MalformedOutcome, match="another payload"):
        countersign.await_outcome(callback, expect_payload_sha256="cd" * 32)


def test_the_payload_hash_is_over_sorted_keys_without_blanks_in_utf_8() -> None:
    canonical = '{"a":[1,2.5,-0.0,1e+16],"é":"🎁 </script>"}'

    digest = countersign.payload_sha256({"é": "🎁 </script>", "a": (1, 2.50, -0.0, 1e16)})

    assert digest == hashlib.sha256(canonical.encode()).hexdigest()
