"""The order workflow on AWS's own local runner: asked, answered, resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import countersign
import pytest
from standardwebhooks.webhooks import Webhook

from examples.order_workflow.orders import SHAPES
from tests.client.standin import SECRET, Answer, Received
from tests.examples.local import ScriptedAws, scripted_aws

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAws]:
    with scripted_aws(tmp_path_factory.mktemp("local runner")) as aws:
        yield aws


def answer_to(asked: Received, **changes: Any) -> dict[str, Any]:
    """The portal's document on the request ASKED."""
    return {
        "outcome": "approved",
        "request_id": "0197-request",
        "decision_id": "0197-decision",
        "decided_by": ["dana"],
        "decided_at": "2026-11-20T12:01:03+00:00",
        "comment": "Address checked by phone",
        "values": {"delivery": "standard"},
        "payload_sha256": countersign.payload_sha256(asked.content["payload"]),
        "cause": "person",
        **changes,
    }


def succeed(aws: ScriptedAws, asked: Received, document: dict[str, Any]) -> None:
    aws.api.send_durable_execution_callback_success(
        CallbackId=asked.content["callback_id"], Result=json.dumps(document).encode()
    )


def test_an_approval_resumes_the_execution_with_who_when_and_why(aws: ScriptedAws) -> None:
    order = SHAPES["wide-unicode"]()
    execution = aws.start(order)
    asked = aws.asked()
    assert Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))
    assert asked.content["execution_arn"] == execution

    succeed(aws, asked, answer_to(asked))

    ended = aws.end_of(execution)
    assert ended["Status"] == "SUCCEEDED"
    assert json.loads(ended["Result"]) == {
        "order_id": order["order_id"],
        "status": "shipped",
        "decision": {
            "outcome": "approved",
            "by": ["dana"],
            "at": "2026-11-20T12:01:03+00:00",
            "comment": "Address checked by phone",
            "cause": "person",
            "values": {"delivery": "standard"},
        },
    }


def test_a_rejection_takes_the_other_branch_with_its_data(aws: ScriptedAws) -> None:
    execution = aws.start(SHAPES["high-risk"]())
    asked = aws.asked()
    document = answer_to(asked, outcome="rejected", comment="Card looks stolen")

    aws.api.send_durable_execution_callback_failure(
        CallbackId=asked.content["callback_id"],
        Error={
            "ErrorType": "ApprovalRejected",
            "ErrorMessage": "dana rejected it.",
            "ErrorData": json.dumps(document),
        },
    )

    ended = aws.end_of(execution)
    result = json.loads(ended["Result"])
    assert (ended["Status"], result["status"]) == ("SUCCEEDED", "cancelled")
    assert result["decision"]["by"] == ["dana"]
    assert result["decision"]["comment"] == "Card looks stolen"


@pytest.mark.parametrize("clock", ["timeout_seconds", "heartbeat_timeout_seconds"])
def test_lambdas_own_clock_cancels_the_order(aws: ScriptedAws, clock: str) -> None:
    order = SHAPES["small"]()
    order["approval"] = {clock: 1}
    execution = aws.start(order)
    asked = aws.asked()
    assert asked.content[clock] == 1

    result = json.loads(aws.end_of(execution)["Result"])

    assert result["status"] == "cancelled"
    assert (result["decision"]["outcome"], result["decision"]["cause"]) == ("expired", "clock")


def test_an_approval_of_another_payload_ships_nothing(aws: ScriptedAws) -> None:
    execution = aws.start(SHAPES["small"]())
    asked = aws.asked()

    succeed(aws, asked, answer_to(asked, payload_sha256="00" * 32))

    ended = aws.end_of(execution)
    assert ended["Status"] == "FAILED"
    assert "another payload" in ended["Error"]["ErrorMessage"]


def test_a_refused_request_fails_the_execution_without_asking_again(aws: ScriptedAws) -> None:
    problem = {"title": "Unprocessable", "detail": "No such kind.", "status": 422}
    aws.portal.answers.append(Answer(422, problem))
    before = len(aws.portal.received)

    ended = aws.end_of(aws.start(SHAPES["small"]()))

    assert aws.asked().content["kind"] == "order"
    assert ended["Status"] == "FAILED"
    assert "No such kind." in ended["Error"]["ErrorMessage"]
    assert len(aws.portal.received) == before + 1
