"""Opening a request, from outside: what is answered, and what is written."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from approvals.models import ApprovalRequest, AuditEvent, SourceKey, User
from tests import factories
from tests.intake.sender import Sender, add_key, add_secret, approve, make_sender, order, problem_of


@pytest.mark.django_db(transaction=True)
def test_a_signed_order_is_written_down_and_named(sender: Sender) -> None:
    response = sender.open()

    assert response.status_code == 201
    answer = response.json()
    row = ApprovalRequest.objects.get()
    assert list(answer) == ["id", "url", "state", "answer_by", "payload_sha256", "warnings"]
    assert answer["id"] == str(row.public_id)
    assert answer["url"] == f"http://testserver/requests/{row.public_id}/"
    assert answer["state"] == "pending"
    assert answer["warnings"] == []
    assert response["Location"] == f"http://testserver{sender.address}/{row.public_id}"
    assert sender.client.get(response["Location"], headers=sender.signed(b"")).status_code == 200
    assert row.callback_id == "Y2FsbGJhY2s/+AAA="


def test_the_payload_is_hashed_with_the_numbers_that_were_sent(sender: Sender) -> None:
    body = json.dumps(order()).replace("12.5", "12.50").encode()

    answer = sender.post(body).json()

    assert answer["payload_sha256"] == hashlib.sha256(b'{"total":12.50}').hexdigest()
    row = ApprovalRequest.objects.get()
    assert (row.payload_text, row.payload) == ('{"total":12.50}', {"total": 12.5})


def test_clocks_count_from_the_signed_timestamp(sender: Sender) -> None:
    signed_at = (timezone.now() - timedelta(seconds=200)).replace(microsecond=0)
    body = json.dumps(order()).encode()

    answer = sender.post(body, headers=sender.signed(body, at=signed_at)).json()

    row = ApprovalRequest.objects.get()
    assert row.callback_expires_at == signed_at + timedelta(seconds=3600)
    assert row.answer_by == signed_at + timedelta(seconds=3540)
    assert answer["answer_by"] == row.answer_by.isoformat().replace("+00:00", "Z")


def test_a_request_without_a_timeout_is_warned_about(sender: Sender) -> None:
    assert "timeout_seconds" in sender.open(timeout_seconds=0).json()["warnings"][0]


def test_the_same_content_again_is_the_same_request(sender: Sender) -> None:
    first = sender.open()
    body = json.dumps(order(kind="generic", links=[]), sort_keys=True, indent=2).encode()

    again = sender.post(body)

    assert again.status_code == 200
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"title": "Release order NO-2"}, {"payload": {"total": 12.6}}, {"on_reject": "success"},
     {"payload": {"total": "12.5"}}],
)  # fmt: skip
def test_other_content_under_the_same_callback_id_is_a_conflict(
    sender: Sender, other: dict[str, Any]
) -> None:
    sender.open()

    problem_of(sender.open(**other), 409)

    assert ApprovalRequest.objects.get().title == "Release order NO-1"


def test_a_number_written_otherwise_is_other_content(sender: Sender) -> None:
    sender.open()
    problem_of(sender.post(json.dumps(order()).replace("12.5", "12.50").encode()), 409)


def test_the_same_content_after_the_decision_is_answered_with_its_state(
    sender: Sender, anna: User
) -> None:
    sender.open()
    approve(anna)

    again = sender.open()

    assert (again.status_code, again.json()["state"]) == (200, "approved")


def test_a_foreign_callback_id_is_not_put_before_other_reviewers(sender: Sender) -> None:
    sender.open()
    problem_of(make_sender("payments").open(), 409)


@pytest.mark.django_db(transaction=True)
def test_fifty_identical_posts_at_once_make_one_request(sender: Sender) -> None:
    body = json.dumps(order()).encode()
    headers = sender.signed(body)

    def post(_: int) -> int:
        try:
            own = Sender(sender.source, sender.secret, sender.key, Client())
            return int(own.post(body, headers=headers).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(post, range(50)))

    assert statuses == [200] * 49 + [201]
    assert ApprovalRequest.objects.count() == 1


def test_a_source_key_opens_a_request(sender: Sender) -> None:
    body = json.dumps(order()).encode()
    response = sender.post(body, headers={"authorization": f"Bearer {sender.key}"})
    assert response.status_code == 201


def test_both_live_secrets_and_no_expired_one_open_a_request(sender: Sender) -> None:
    body = json.dumps(order()).encode()
    second = add_secret(sender.source, expires_in=timedelta(hours=1))
    expired = add_secret(sender.source, expires_in=timedelta(hours=-1))

    assert sender.post(body).status_code == 201
    assert sender.post(body, headers=sender.signed(body, secret=second)).status_code == 200
    problem_of(sender.post(body, headers=sender.signed(body, secret=expired)), 401)


class TestUntrusted:
    """401, always the same, and nothing is written."""

    @pytest.fixture(autouse=True)
    def _nothing_is_written(self, sender: Sender) -> Any:
        yield
        assert not ApprovalRequest.objects.exists()

    def test_nothing_proves_the_source(self, sender: Sender) -> None:
        response = sender.post(json.dumps(order()).encode(), headers={})
        problem_of(response, 401)
        assert response["WWW-Authenticate"] == "Bearer"

    def test_the_body_was_changed(self, sender: Sender) -> None:
        headers = sender.signed(json.dumps(order()).encode())
        problem_of(sender.post(json.dumps(order(title="x")).encode(), headers=headers), 401)

    @pytest.mark.parametrize("seconds", [-310, 310])
    def test_the_signature_is_stale(self, sender: Sender, seconds: int) -> None:
        body = json.dumps(order()).encode()
        headers = sender.signed(body, at=timezone.now() + timedelta(seconds=seconds))
        problem_of(sender.post(body, headers=headers), 401)

    @pytest.mark.parametrize("slug", ["nobody", "no%00body", "no%20body", "Ω", "a" * 300])
    def test_an_unknown_source_is_answered_like_a_bad_signature(
        self, sender: Sender, slug: str
    ) -> None:
        body = json.dumps(order()).encode()
        stranger = make_sender("payments")
        bad = sender.post(body, headers=stranger.signed(body))
        unknown = sender.post(body, to=f"/api/v1/sources/{slug}/requests")
        assert problem_of(unknown, 401) == problem_of(bad, 401)

    def test_an_unknown_source_asks_the_database_as_much_as_a_known_one(
        self, sender: Sender, django_assert_num_queries: Any
    ) -> None:
        body = json.dumps(order()).encode()
        headers = make_sender("payments").signed(body)
        for address in (sender.address, "/api/v1/sources/nobody/requests"):
            with django_assert_num_queries(1):
                problem_of(sender.post(body, to=address, headers=headers), 401)

    def test_an_inactive_source_is_unknown(self, sender: Sender) -> None:
        sender.source.active = False
        sender.source.save(update_fields=["active"])
        problem_of(sender.open(), 401)

    def test_a_signature_that_fails_is_not_mended_by_a_key(self, sender: Sender) -> None:
        body = json.dumps(order()).encode()
        headers = sender.signed(b"other") | {"authorization": f"Bearer {sender.key}"}
        problem_of(sender.post(body, headers=headers), 401)

    def test_half_a_signature_is_not_mended_by_a_key(self, sender: Sender) -> None:
        headers = {"webhook-signature": "", "authorization": f"Bearer {sender.key}"}
        problem_of(sender.post(json.dumps(order()).encode(), headers=headers), 401)

    def test_a_key_for_events_opens_nothing(self, sender: Sender) -> None:
        events = add_key(sender.source, SourceKey.Purpose.EVENTS)
        headers = {"authorization": f"Bearer {events}"}
        problem_of(sender.post(json.dumps(order()).encode(), headers=headers), 401)

    def test_another_sources_key_opens_nothing(self, sender: Sender) -> None:
        headers = {"authorization": f"Bearer {make_sender('payments').key}"}
        problem_of(sender.post(json.dumps(order()).encode(), headers=headers), 401)


FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
EXECUTION = f"{FUNCTION}:7/durable-execution/order-1/9f7d84c9-ea3d-3ffc-b3e5-5ec51c34ffc9"
LOCAL = "0b0d7a2e-5f0e-4c39-a1a5-1c9f5f8a3d11/5f1b9c1e-5f0e-4c39-a1a5-1c9f5f8a3d12"


def test_a_source_opens_requests_of_its_own_function(anna: User) -> None:
    bound = make_sender(function_arns=[FUNCTION])
    assert bound.open(execution_arn=EXECUTION).status_code == 201
    assert ApprovalRequest.objects.get().execution.arn == EXECUTION


@pytest.mark.parametrize(
    ("fields", "arn"),
    [
        ({"function_arns": [FUNCTION + "-other"]}, EXECUTION),
        ({"function_arns": [FUNCTION], "allow_local_runner": False}, LOCAL),
    ],
)
def test_a_source_may_not_speak_for_another_function(
    anna: User, fields: dict[str, Any], arn: str
) -> None:
    problem_of(make_sender(**fields).open(execution_arn=arn), 403)
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("local", [True, False])
def test_a_source_bound_to_functions_has_to_say_whose_callback_it_is(
    anna: User, local: bool
) -> None:
    bound = make_sender(function_arns=[FUNCTION], allow_local_runner=local)
    [error] = problem_of(bound.open(), 422)["errors"]
    assert error["field"] == "execution_arn"
    assert "only for the functions it names" in error["message"]
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"execution_arn": EXECUTION}, {"execution_arn": LOCAL}])
def test_a_source_that_names_no_function_opens_nothing(anna: User, fields: dict[str, Any]) -> None:
    told = problem_of(make_sender(allow_local_runner=False).open(**fields), 403)
    assert "names no functions yet" in told["detail"]
    assert "manage.py add_functions orders" in told["detail"]
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"execution_arn": EXECUTION}, {"execution_arn": LOCAL}])
def test_a_source_for_the_local_runner_that_names_no_function_is_open(
    sender: Sender, fields: dict[str, Any]
) -> None:
    assert sender.open(**fields).status_code == 201


def test_every_field_of_the_contract_is_taken(sender: Sender, anna: User) -> None:
    factories.make_user("bert", groups=["finance"])
    response = sender.open(
        kind="generic",
        summary="**Bold**",
        links=[{"label": "Order", "url": "https://shop.example/orders/1?x=1#top"}],
        risk={"score": 72, "reasons": [{"text": "New address", "points": 40}], "scored_by": "ml"},
        checks=[{"text": "Card verified", "passed": True}],
        effects=[{"label": "Status", "before": None, "after": "shipped"}],
        assignees={"users": ["anna"], "groups": ["finance"]},
        requested_by="carla",
        on_behalf_of="dora",
        agent="refund-agent",
        required_approvals=2,
        heartbeat_timeout_seconds=60,
        due_in_seconds=600,
        escalate_in_seconds=1200,
        execution_arn=LOCAL,
        response_schema={
            "type": "object",
            "properties": {"amount": {"type": "number", "minimum": 0, "maximum": 12.5}},
            "required": ["amount"],
        },
        editable=["/total"],
        if_approved="It ships today.",
        if_rejected="The order is cancelled.",
        if_nobody="The order is cancelled.",
        on_reject="success",
        on_timeout="reject",
        approve_with="yes",
        reject_with="no",
        subject="order-1",
    )

    assert response.status_code == 201, response.content
    row = ApprovalRequest.objects.get()
    assert row.risk_score == 72
    assert row.effects == [{"label": "Status", "before": None, "after": "shipped"}]
    assert row.response_schema["properties"]["amount"] == {
        "type": "number", "minimum": 0, "maximum": 12.5,
    }  # fmt: skip
    assert (row.on_reject, row.on_timeout, row.reject_with) == ("success", "reject", "no")
    assert (row.requested_by, row.on_behalf_of, row.agent) == ("carla", "dora", "refund-agent")
    assert (row.due_at - row.sent_at, row.required_approvals) == (timedelta(seconds=600), 2)
