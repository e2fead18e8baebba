"""The reviewers' API: every status, exact numbers, the same gate as the pages."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from approvals import lifecycle
from approvals.models import ApprovalRequest, Decision, PersonalToken, User
from approvals.policy import Wanting
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_token, make_user
from tests.review.people import Caller

pytestmark = pytest.mark.django_db
SCHEMA = {
    "type": "object",
    "properties": {"limit": {"type": "number", "maximum": 10}, "count": {"type": "integer"}},
    "required": ["limit"],
}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(anna, make_user("bert"), title="Order 7", timeout_seconds=3_600)


def address(request: ApprovalRequest, rest: str = "") -> str:
    return f"/api/v1/requests/{request.public_id}{rest}"


def test_a_decision_by_token_is_by_its_owner_through_the_api(
    anna: User, order: ApprovalRequest
) -> None:
    answer = Caller(anna).decide(order, {"verdict": "approved", "comment": "ok"})
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["state"] == "approved"
    assert [(d["by"], d["verdict"], d["comment"], d["channel"]) for d in shown["decisions"]] == [
        ("anna", "approved", "ok", "api")
    ]
    assert shown["delivery"]["state"] == "pending"
    assert Decision.objects.get().channel == Channel.API


def test_a_vote_that_needs_another_is_recorded(anna: User) -> None:
    two = make_request(anna, make_user("bert"), required_approvals=2)
    shown = Caller(anna).decide(two, {"verdict": "approved"}).json()
    assert (shown["state"], shown["required"], shown["missing"]) == ("pending", 2, 1)


def test_who_comes_second_is_told_by_whom_and_when(anna: User, order: ApprovalRequest) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    bert = User.objects.get(username="bert")
    answer = Caller(bert).decide(order, {"verdict": "rejected", "comment": "no"})
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert "Anna approved this at" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"verdict": "approved", "force": True}, 422, "force"),
        ({"verdict": "maybe"}, 422, "verdict"),
        ({}, 422, "verdict"),
        ({"verdict": "rejected"}, 422, "comment"),
        ({"verdict": "approved", "values": {"limit": 1}}, 422, "values"),
        ({"verdict": "approved", "comment": 7}, 422, "comment"),
        ([], 422, ""),
        ('{"verdict": "rejected", "verdict": "approved"}', 400, None),
        ('{"verdict": "approved", "values": {"limit": NaN}}', 400, None),
        ('{"verdict": "approved", "comment": "\\u0000"}', 400, None),
        ('{"verdict": "approved", "comment": "\\ud800"}', 400, None),
        (b'{"verdict": "approved", "comment": "\xff"}', 400, None),
        ("[" * 100_000, 400, None),
        ('{"values": {"a": ' + "[" * 65 + "]" * 65 + "}}", 400, None),
        ('{"values": {"a": [' + "1," * 20_001 + "1]}}", 400, None),
        ('\ufeff{"verdict": "approved"}', 400, None),
        ('{"values": {"limit": ' + "9" * 5_000 + "}}", 400, None),
        ('{"values": {"limit": 0.12345678901234567890}}', 400, None),
        (" ", 400, None),
        ('{"comment": "' + "x" * 300_000 + '"}', 413, None),
    ],
)
def test_a_body_that_does_not_fit_decides_nothing(
    anna: User, order: ApprovalRequest, body: object, status: int, field: str | None
) -> None:
    answer = Caller(anna).decide(order, body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    if field is not None:
        assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Decision.objects.exists()


def test_every_field_of_a_body_that_is_wrong_is_named_with_what_to_do(
    anna: User, order: ApprovalRequest
) -> None:
    body = {"comment": 7, "values": [], "hold": "yes", "force": True}
    errors = Caller(anna).decide(order, body).json()["errors"]
    assert {each["field"]: each["message"] for each in errors} == {
        "verdict": "Add this field.",
        "comment": "Write a string.",
        "values": "Write an object.",
        "hold": "Write true or false.",
        "force": "This field is not known here: check its spelling, or leave it out.",
    }


def test_what_the_request_asks_for_is_complained_of_all_at_once(anna: User) -> None:
    row = make_request(anna, response_schema=SCHEMA)
    body = {
        "verdict": "approved",
        "comment": "x" * 10_001,
        "values": {"count": "two", "colour": "red"},
        "edits": {"/nothing": 1},
    }
    answer = Caller(anna).decide(row, body)
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {
        "edits./nothing", "comment", "values.limit", "values.count", "values.colour",
    }  # fmt: skip
    assert not Decision.objects.exists()


def test_a_body_of_another_type_is_refused(anna: User, order: ApprovalRequest) -> None:
    answer = Caller(anna).decide(order, "verdict=approved", content_type="text/plain")
    assert answer.status_code == 415


def test_values_reach_the_decision_with_every_digit(anna: User) -> None:
    row = make_request(anna, response_schema=SCHEMA)
    body = '{"verdict": "approved", "values": {"limit": 0.10, "count": 12345678901234567890}}'
    assert Caller(anna).decide(row, body).status_code == 200
    assert Decision.objects.get().values == {"limit": 0.1, "count": 12345678901234567890}


def test_the_payload_keeps_its_numbers_digit_for_digit(anna: User) -> None:
    text = '{"each":1.10,"total":12345678901234567890.123}'
    row = make_request(anna, payload_text=text)
    assert f'"payload":{text}' in Caller(anna).get(address(row)).content.decode()


def test_four_eyes_holds_by_token(order: ApprovalRequest) -> None:
    dora = make_user("dora")
    own = make_request(dora, make_user(), wanting=Wanting(agent="DORA"))
    answer = Caller(dora).decide(own, {"verdict": "approved"})
    assert answer.status_code == 403
    assert not Decision.objects.exists()


@pytest.mark.parametrize("role", ["operator", "auditor", "admin"])
def test_who_sees_everything_decides_nothing(order: ApprovalRequest, role: str) -> None:
    caller = Caller(make_user(role=role))
    assert caller.get(address(order)).status_code == 200
    assert caller.decide(order, {"verdict": "approved"}).status_code == 403


def test_an_outsider_cannot_tell_a_request_from_none(order: ApprovalRequest) -> None:
    caller = Caller(make_user())
    answers = [
        caller.get(f"/api/v1/requests/{public_id}{rest}")
        for public_id in (order.public_id, uuid.uuid4())
        for rest in ("", "/audit")
    ]
    answers.append(caller.decide(order, {"verdict": "approved"}))
    assert {answer.status_code for answer in answers} == {404}
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer cst_wrong", "Basic YTpi", "Token x", "Bearer  "]
)
def test_without_a_token_that_lives_nobody_gets_in(
    order: ApprovalRequest, header: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    for where in ("/api/v1/requests", address(order), address(order, "/audit")):
        answer = Client().get(where, headers=headers)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("end", ["expired", "revoked", "inactive"])
def test_a_token_ends_at_once(anna: User, end: str) -> None:
    caller = Caller(anna)
    assert caller.get("/api/v1/requests").status_code == 200
    if end == "inactive":
        User.objects.update(is_active=False)
    else:
        PersonalToken.objects.update(**{f"{end}_at".replace("expired", "expires"): timezone.now()})
    assert caller.get("/api/v1/requests").status_code == 401


def test_a_session_is_no_way_into_the_api(anna: User, order: ApprovalRequest) -> None:
    client = Client()
    client.force_login(anna)
    assert client.get(address(order)).status_code == 401


def test_the_use_of_a_token_is_noted_once_a_minute(anna: User) -> None:
    caller = Caller(anna)
    caller.get("/api/v1/requests")
    first = PersonalToken.objects.get().last_used_at
    assert first is not None
    caller.get("/api/v1/requests")
    assert PersonalToken.objects.get().last_used_at == first
    PersonalToken.objects.update(last_used_at=first - timedelta(minutes=2))
    caller.get("/api/v1/requests")
    assert PersonalToken.objects.get().last_used_at > first


def test_the_audit_is_for_operators_and_auditors(anna: User, order: ApprovalRequest) -> None:
    assert Caller(anna).get(address(order, "/audit")).status_code == 403
    shown = Caller(make_user(role="auditor")).get(address(order, "/audit")).json()
    assert [line["tag"] for line in shown["items"]] == ["request.received"]
    assert shown["broken_at"] is None


def test_no_answer_holds_the_callback_id(anna: User, order: ApprovalRequest) -> None:
    shown = Caller(anna).get(address(order)).content.decode()
    assert order.callback_id not in shown


@pytest.mark.django_db(transaction=True)
def test_a_decision_is_answered_with_what_is_read_afterwards() -> None:
    fay, sam = make_user("fay", groups=["finance"]), make_user("sam", groups=["security"])
    both = [{"group": "finance", "approvals": 1}, {"group": "security", "approvals": 1}]
    arn = "0b9e1cf2-1111-4222-8333-444455556666/0b9e1cf2-1111-4222-8333-444455556667"
    request = make_request(
        fay, sam, requirements=both, execution_arn=arn, timeout_seconds=600, due_in_seconds=60
    )
    lifecycle.claim(request.pk, reviewer=sam)

    for person in (fay, sam):
        headers = {"Authorization": f"Bearer {make_token(person, timezone.now())}"}
        address = f"/api/v1/requests/{request.public_id}"
        told = Client().post(
            f"{address}/decision",
            {"verdict": "approved", "comment": "Ærlig"},
            content_type="application/json",
            headers=headers,
        )
        assert told.status_code == 200, told.content
        read = Client().get(address, headers=headers).json()
        assert read.pop("comments") == []  # the discussion is read, never part of an answer
        assert told.json() == read


def test_a_hostile_decision_is_not_echoed_at_length(anna):
    asked = {"type": "object", "properties": {"size": {"type": "string"}}}
    request = make_request(anna, response_schema=asked)
    values = {f"{number}{'x' * 400}": 1 for number in range(300)}
    answer = Caller(anna).decide(request, {"verdict": "approved", "values": values})
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20
    assert "20 of 300" in answer.json()["detail"]
    assert len(answer.content) < 12_000
