"""What really happened, as AWS's own local runner tells it: stops, strangers, lost answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from countersign import payload_sha256

from approvals import lifecycle
from approvals.callbacks import checking, executions, outbox
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.delivery import send
from approvals.callbacks.gateway import Answer
from approvals.callbacks.heartbeats import beat_due
from approvals.canonical import canonical_json
from approvals.clock import database_now
from approvals.models import (
    ApprovalRequest,
    CallbackCheck,
    CallbackDelivery,
    Execution,
    ExecutionHistory,
    Heartbeat,
)
from approvals.states import (
    CallbackFinding,
    Channel,
    DeliveryState,
    Reply,
    RequestState,
    Verdict,
    Withdrawal,
)
from examples.document_approval import documents
from examples.order_workflow.orders import SHAPES
from examples.refund_agent import tickets
from tests.callbacks.conftest import tags
from tests.examples.local import ScriptedAws, eventually, scripted_aws
from tests.factories import make_request, make_source, make_user

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAws]:
    with scripted_aws(tmp_path_factory.mktemp("runner")) as aws:
        yield aws


@pytest.fixture
def gateway(settings: Any, monkeypatch: pytest.MonkeyPatch) -> LambdaGateway:
    settings.HISTORIES_PER_SECOND = settings.LOOKS_PER_SECOND = 1000
    monkeypatch.setattr(executions, "LINGER", timedelta(0))
    return LambdaGateway()


def waiting(aws: ScriptedAws, *, verify: bool = False, **fields: Any) -> ApprovalRequest:
    """A request for the callback of a document's execution, which waits in the runner."""
    aws.start(documents.policy(), "document-approval")
    asked = aws.asked().content
    source = make_source(endpoint_url=aws.url, verify_callbacks=verify)
    return make_request(
        make_user("dana"),
        source=source,
        callback_id=asked["callback_id"],
        execution_arn=asked["execution_arn"],
        **fields,
    )


def decide(request: ApprovalRequest, verdict: Verdict) -> CallbackDelivery:
    dana = request.assignments.get().user
    assert dana is not None
    lifecycle.decide(
        request.pk, verdict=verdict, reviewer=dana, channel=Channel.API, comment="Read twice."
    )
    return CallbackDelivery.objects.get(request=request)


def attempt(gateway: LambdaGateway, *, sent: bool = True, answered: bool = True) -> None:
    """One attempt at what is owed; unless ANSWERED, what AWS says to it is lost."""
    claimed = outbox.claim_next(now=database_now() + timedelta(hours=1))
    assert claimed is not None
    answer = send(gateway, claimed) if sent else Answer(Reply.UNAVAILABLE)
    assert answer is not None
    lost = Answer(Reply.UNAVAILABLE, "ReadTimeoutError: …", applied_unknown=True)
    outbox.settle(claimed, answer if answered else lost, now=database_now())


def read_now(gateway: LambdaGateway) -> None:
    now = database_now()
    ExecutionHistory.objects.exclude(next_read_at=None).update(next_read_at=now)
    CallbackCheck.objects.exclude(next_attempt_at=None).update(next_attempt_at=now)
    checking.read_due(gateway)


def look_now(gateway: LambdaGateway) -> None:
    Execution.objects.exclude(next_look_at=None).update(next_look_at=database_now())
    executions.look_due(gateway)


def test_the_function_acts_on_what_was_edited_before_it_was_approved(
    aws: ScriptedAws, gateway: LambdaGateway
) -> None:
    execution = aws.start(tickets.damaged(), "refund-agent")
    asked = aws.asked().content
    dana = make_user("dana")
    request = make_request(
        dana,
        source=make_source(endpoint_url=aws.url),
        callback_id=asked["callback_id"],
        payload=asked["payload"],
        payload_text=canonical_json(asked["payload"]),
        payload_sha256=payload_sha256(asked["payload"]),
        editable=asked["editable"],
    )

    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=dana, channel=Channel.API,
        edits={"/actions/0/arguments/amount": "120.50"},
    )  # fmt: skip
    attempt(gateway)

    ended = aws.end_of(execution)
    assert ended["Status"] == "SUCCEEDED", ended
    refund = json.loads(ended["Result"])["refund"]
    assert asked["payload"]["actions"][0]["arguments"]["amount"] == "149.00"
    assert refund["amount"] == "120.50"


ANSWERS = [
    (Verdict.APPROVED, {}),
    (Verdict.REJECTED, {}),
    (Verdict.REJECTED, {"on_reject": "success"}),
    (Verdict.APPROVED, {"approve_with": "approve"}),
]


@pytest.mark.parametrize(("verdict", "rules"), ANSWERS)
def test_an_answer_of_ours_that_got_lost_on_the_way_back_is_found_delivered(
    aws: ScriptedAws, gateway: LambdaGateway, verdict: Verdict, rules: dict[str, Any]
) -> None:
    owed = decide(waiting(aws, **rules), verdict)
    attempt(gateway, answered=False)
    attempt(gateway)
    owed.refresh_from_db()
    assert owed.state == DeliveryState.UNCONFIRMED

    read_now(gateway)

    owed.refresh_from_db()
    assert owed.state == DeliveryState.DELIVERED, owed.detail
    assert tags(owed.request)[-1] == "delivery.delivered"


@pytest.mark.parametrize("stranger", ["success", "failure"])
@pytest.mark.parametrize(("verdict", "rules"), ANSWERS)
def test_a_stranger_s_answer_is_not_taken_for_ours(
    aws: ScriptedAws,
    gateway: LambdaGateway,
    verdict: Verdict,
    rules: dict[str, Any],
    stranger: str,
) -> None:
    request = waiting(aws, **rules)
    owed = decide(request, verdict)
    if stranger == "success":
        aws.api.send_durable_execution_callback_success(
            CallbackId=request.callback_id, Result=b'{"outcome": "approved"}'
        )
    else:
        aws.api.send_durable_execution_callback_failure(
            CallbackId=request.callback_id, Error={"ErrorMessage": "No.", "ErrorData": "{}"}
        )
    attempt(gateway, sent=False, answered=False)
    attempt(gateway)
    owed.refresh_from_db()
    assert owed.state == DeliveryState.UNCONFIRMED

    read_now(gateway)

    owed.refresh_from_db()
    assert owed.state == DeliveryState.UNDELIVERABLE, owed.detail
    assert "Answered outside the portal" in owed.detail


def test_a_callback_is_verified_at_receipt(aws: ScriptedAws, gateway: LambdaGateway) -> None:
    request = waiting(aws, verify=True, timeout_seconds=3600)
    before = request.answer_by

    checking.read_due(gateway)

    check = CallbackCheck.objects.get()
    assert check.finding == CallbackFinding.FOUND
    assert (check.timeout_seconds, check.heartbeat_timeout_seconds) == (None, None)
    request.refresh_from_db()
    assert (request.is_pending, request.answer_by) == (True, before)
    assert tags(request)[-1] == "callback.checked"


def test_a_callback_its_execution_does_not_have_is_a_warning(
    aws: ScriptedAws, gateway: LambdaGateway
) -> None:
    there = waiting(aws, verify=True)
    assert there.execution is not None
    request = make_request(
        make_user(), source=there.source, execution_arn=there.execution.arn, callback_id="Zm9yZ2Vk"
    )
    for _ in range(5):
        read_now(gateway)

    findings = dict(CallbackCheck.objects.values_list("request", "finding"))
    assert findings == {there.pk: CallbackFinding.FOUND, request.pk: CallbackFinding.MISSING}
    request.refresh_from_db()
    assert request.is_pending


def test_an_execution_the_runner_does_not_know_is_missing_too(
    aws: ScriptedAws, gateway: LambdaGateway
) -> None:
    source = make_source(endpoint_url=aws.url, verify_callbacks=True)
    make_request(make_user(), source=source, execution_arn="no-such/execution")
    for _ in range(5):
        read_now(gateway)

    check = CallbackCheck.objects.get()
    assert check.finding == CallbackFinding.MISSING
    assert "AWS does not know it" in check.detail


def test_stopping_an_execution_closes_its_request_at_the_next_look(
    aws: ScriptedAws, gateway: LambdaGateway, settings: Any
) -> None:
    request = waiting(aws)
    assert request.execution is not None
    for _ in range(9):
        look_now(gateway)
    execution = Execution.objects.get()
    assert execution.status == "RUNNING"
    assert execution.next_look_at is not None
    assert execution.next_look_at - database_now() < settings.RECONCILE_INTERVAL

    aws.api.stop_durable_execution(DurableExecutionArn=request.execution.arn)
    look_now(gateway)

    request.refresh_from_db()
    assert (request.state, request.withdrawal) == (
        RequestState.WITHDRAWN,
        Withdrawal.EXECUTION_ENDED,
    )


@pytest.mark.parametrize("heard_by", ["beat", "look"])
def test_an_answer_given_outside_the_portal_is_shown_as_such(
    aws: ScriptedAws, gateway: LambdaGateway, heard_by: str
) -> None:
    request = waiting(aws, heartbeat_timeout_seconds=60 if heard_by == "beat" else 0)
    assert request.execution is not None
    aws.api.send_durable_execution_callback_success(
        CallbackId=request.callback_id, Result=b"approve"
    )
    aws.end_of(request.execution.arn)
    if heard_by == "beat":
        beat_due(gateway)
    else:
        look_now(gateway)

    read_now(gateway)

    request.refresh_from_db()
    assert request.withdrawal == Withdrawal.ELSEWHERE
    assert request.closed_because.startswith("Answered outside the portal: the callback succeeded")
    assert not Heartbeat.objects.exists()


def test_a_callback_whose_heartbeats_failed_is_told_so(
    aws: ScriptedAws, gateway: LambdaGateway
) -> None:
    order = SHAPES["small"]()
    order["approval"] = {**order["approval"], "heartbeat_timeout_seconds": 1}
    aws.start(order)
    asked = aws.asked().content
    request = make_request(
        make_user(),
        source=make_source(endpoint_url=aws.url),
        callback_id=asked["callback_id"],
        execution_arn=asked["execution_arn"],
    )
    eventually(lambda: _has_timed_out(aws, asked["execution_arn"]))

    look_now(gateway)
    read_now(gateway)

    request.refresh_from_db()
    assert request.withdrawal == Withdrawal.CLOSED_AT_AWS
    assert "no heartbeat in time" in request.closed_because


def _has_timed_out(aws: ScriptedAws, arn: str) -> bool:
    past = aws.api.get_durable_execution_history(DurableExecutionArn=arn)
    kinds = [event["EventType"] for event in past["Events"]]
    return "CallbackTimedOut" in kinds


def test_the_steps_of_an_execution_are_kept_to_be_shown(
    aws: ScriptedAws, gateway: LambdaGateway
) -> None:
    request = waiting(aws, approve_with="approve")
    assert request.execution is not None
    look_now(gateway)
    decide(request, Verdict.APPROVED)
    attempt(gateway)
    aws.end_of(request.execution.arn)
    look_now(gateway)

    read_now(gateway)

    row = ExecutionHistory.objects.get()
    shown = [(step["name"], step["type"], step["status"]) for step in row.steps]
    assert shown == [
        ("await-review", "Callback", "SUCCEEDED"),
        ("send-for-review", "Step", "SUCCEEDED"),
        ("publish", "Step", "SUCCEEDED"),
    ]
    assert (row.is_whole, row.trouble, row.next_read_at) == (True, "", None)
    assert all(step["started_at"] and step["ended_at"] for step in row.steps)
