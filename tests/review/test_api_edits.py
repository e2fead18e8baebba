"""Edits by API: typed as JSON types them, told back digit for digit."""

from __future__ import annotations

import json

import pytest

from approvals.canonical import sha256_hex
from approvals.models import ApprovalRequest, Decision
from tests.factories import make_request, make_user
from tests.review.people import Caller

pytestmark = pytest.mark.django_db

PAYLOAD = '{"amount":"312.00","big":12345678901234567890,"rate":0.10}'


@pytest.fixture
def asked() -> tuple[ApprovalRequest, Caller]:
    anna = make_user("anna")
    row = make_request(
        anna, payload=json.loads(PAYLOAD), payload_text=PAYLOAD,
        payload_sha256=sha256_hex(PAYLOAD), editable=["/amount", "/big", "/rate"],
    )  # fmt: skip
    return row, Caller(anna)


def test_the_api_takes_edits_and_tells_them_with_their_digits(
    asked: tuple[ApprovalRequest, Caller],
) -> None:
    row, anna = asked
    body = (
        '{"verdict": "approved", "edits": {"/big": 98765432109876543210, "/rate": 0.123456789012'
        "34567890}}"
    )
    answer = anna.decide(row, body)

    assert answer.status_code == 200, answer.content
    told = answer.content.decode()
    assert '"edits":{"/big":98765432109876543210,"/rate":0.12345678901234567890}' in told
    assert f'"final_payload_sha256":"{Decision.objects.get().final_sha256}"' in told
    again = anna.get(f"/api/v1/requests/{row.public_id}").content.decode()
    assert '"edits":{"/big":98765432109876543210,"/rate":0.12345678901234567890}' in again


def test_the_api_says_what_may_be_edited(asked: tuple[ApprovalRequest, Caller]) -> None:
    row, anna = asked
    told = anna.get(f"/api/v1/requests/{row.public_id}").json()
    assert told["editable"] == ["/amount", "/big", "/rate"]


def test_a_field_to_mend_is_named_by_its_pointer(asked: tuple[ApprovalRequest, Caller]) -> None:
    row, anna = asked
    answer = anna.decide(row, {"verdict": "approved", "edits": {"/amount": 280, "/total": 1}})
    assert answer.status_code == 422
    assert {each["field"]: each["message"] for each in answer.json()["errors"]} == {
        "edits./amount": "Write a text.",
        "edits./total": "This cannot be edited: leave it out.",
    }
    assert not Decision.objects.exists()


def test_edits_that_are_no_object_are_refused(asked: tuple[ApprovalRequest, Caller]) -> None:
    row, anna = asked
    answer = anna.decide(row, {"verdict": "approved", "edits": ["/amount"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "edits"


def test_another_payload_than_the_first_approved_is_a_conflict() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    row = make_request(anna, bert, required_approvals=2, editable=["/total"])
    assert (
        Caller(anna).decide(row, {"verdict": "approved", "edits": {"/total": 9}}).status_code == 200
    )
    answer = Caller(bert).decide(row, {"verdict": "approved"})
    assert answer.status_code == 409
    assert "Anna approved this with 1 edit." in answer.json()["detail"]
