"""The refund agent where paying itself fails: AWS's runner in this process, time skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import countersign
import pytest
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

from examples.refund_agent import function, tickets
from tests.client.standin import SECRET, StandInPortal, serving


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInPortal]:
    server = StandInPortal()
    monkeypatch.setenv("COUNTERSIGN_URL", server.url)
    monkeypatch.setenv("COUNTERSIGN_SOURCE", "shop")
    monkeypatch.setenv("COUNTERSIGN_SECRET", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with serving(server):
        yield server


@pytest.fixture
def runner() -> Iterator[DurableFunctionTestRunner]:
    runner = DurableFunctionTestRunner(handler=function.handler)
    yield runner
    runner.close()
    runner._scheduler._loop.close()  # the runner stops it and leaves it open


def approval_of(portal: StandInPortal) -> bytes:
    """The portal's document on the request it has just taken."""
    asked = portal.arrivals.get(timeout=30)
    document = {
        "outcome": "approved",
        "request_id": "0197-request",
        "decision_id": "0197-decision",
        "decided_by": ["dana"],
        "decided_at": "2026-11-20T12:01:03+00:00",
        "comment": "",
        "values": {},
        "payload_sha256": countersign.payload_sha256(asked.content["payload"]),
        "cause": "person",
    }
    return json.dumps(document).encode()


def run_approved(runner: DurableFunctionTestRunner, portal: StandInPortal) -> Any:
    arn = runner.run_async(input=json.dumps(tickets.damaged()))
    result = approval_of(portal)
    runner.send_callback_success(runner.wait_for_callback(arn), result)
    return runner.wait_for_result(arn)


def test_a_payment_that_fails_for_good_undoes_the_credit(
    runner: DurableFunctionTestRunner, portal: StandInPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    undone: list[str] = []

    def declined(_plan: object, credit: dict[str, Any]) -> None:
        tried.append(credit["credit_id"])
        raise RuntimeError("The card was closed.")

    def undo(credit: dict[str, Any]) -> dict[str, Any]:
        undone.append(credit["credit_id"])
        return credit

    monkeypatch.setattr(function, "refund_payment", declined)
    monkeypatch.setattr(function, "undo_credit", undo)

    ended = run_approved(runner, portal)

    assert ended.status.value == "FAILED"
    assert "The card was closed." in ended.error.message
    assert len(tried) > 1
    assert undone == ["CR-2207"]


def test_a_payment_that_fails_once_is_tried_again_and_undoes_nothing(
    runner: DurableFunctionTestRunner, portal: StandInPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay, tried = function.refund_payment, []

    def hesitant(plan: dict[str, Any], credit: dict[str, Any]) -> dict[str, Any]:
        tried.append(credit)
        if len(tried) == 1:
            raise RuntimeError("The bank is busy.")
        return pay(plan, credit)

    monkeypatch.setattr(function, "refund_payment", hesitant)

    ended = run_approved(runner, portal)

    result = json.loads(ended.result)
    assert (result["status"], result["credit"]["status"]) == ("refunded", "settled")
