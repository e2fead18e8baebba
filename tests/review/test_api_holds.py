"""By API a decision is held if asked, and can be taken back by whoever's token made it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, User
from tests.factories import make_kind, make_request, make_user
from tests.review.people import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def order(anna: User, bert: User) -> ApprovalRequest:
    make_kind(undo_seconds=10)
    return make_request(anna, bert, title="Order 7", timeout_seconds=3_600)


def undo(caller: Caller, request: ApprovalRequest):
    address = f"/api/v1/requests/{request.public_id}/undo"
    return Client().post(address, headers=caller.headers)


def test_asked_to_hold_it_says_until_when_and_owes_nothing(
    anna: User, order: ApprovalRequest
) -> None:
    caller = Caller(anna)
    body = {"verdict": "approved", "comment": "ok", "hold": True}
    decided = caller.decide(order, body).json()

    held = decided["held"]
    at = datetime.fromisoformat(decided["decisions"][0]["at"])
    assert (held["verdict"], held["by"]) == ("approved", "anna")
    assert datetime.fromisoformat(held["until"]) - at == timedelta(seconds=10)
    assert (decided["state"], decided["delivery"], decided["missing"]) == ("pending", None, 0)
    assert not CallbackDelivery.objects.exists()
    assert caller.get(f"/api/v1/requests/{order.public_id}").json() == decided | {"comments": []}
    listed = caller.get("/api/v1/requests?state=pending").json()["items"]
    seconds = slice(len("2026-11-28T12:00:00"))
    assert [(item["held"]["by"], item["held"]["until"][seconds]) for item in listed] == [
        ("anna", held["until"][seconds])
    ]


def test_not_asked_to_hold_it_is_sent_at_once(anna: User, order: ApprovalRequest) -> None:
    decided = Caller(anna).decide(order, {"verdict": "approved"}).json()
    assert (decided["state"], decided["held"]) == ("approved", None)


@pytest.mark.parametrize("hold", ["true", 1, None])
def test_whether_to_hold_is_true_or_false(anna: User, order: ApprovalRequest, hold: object) -> None:
    answer = Caller(anna).decide(order, {"verdict": "approved", "hold": hold})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["hold"]


def test_whoever_comes_meanwhile_gets_409_with_by_whom(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    Caller(anna).decide(order, {"verdict": "approved", "hold": True})
    answer = Caller(bert).decide(order, {"verdict": "rejected", "comment": "no"})
    assert answer.status_code == 409
    assert "Anna approved this at" in answer.json()["detail"]
    assert "unless they take it back" in answer.json()["detail"]


def test_taken_back_it_is_as_if_nobody_had_decided(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    Caller(anna).decide(order, {"verdict": "approved", "hold": True})

    theirs = undo(Caller(bert), order)
    back = undo(Caller(anna), order)
    again = undo(Caller(anna), order)

    assert (theirs.status_code, theirs.json()["title"]) == (403, "Somebody else decided this")
    assert back.status_code == 200
    shown = back.json()
    assert (shown["state"], shown["held"], shown["decisions"], shown["missing"]) == (
        *("pending", None, []),
        1,
    )
    assert (again.status_code, again.json()["title"]) == (409, "Nothing to take back")
    assert Caller(bert).decide(order, {"verdict": "approved"}).json()["state"] == "approved"


def test_too_late_is_409_and_changes_nothing(anna: User, order: ApprovalRequest) -> None:
    Caller(anna).decide(order, {"verdict": "approved", "hold": True})
    ApprovalRequest.objects.filter(pk=order.pk).update(held_until=database_now())
    assert lifecycle.conclude_due(now=database_now()) == 1
    answer = undo(Caller(anna), order)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Too late to take it back. Anna approved this at")
    shown = Caller(anna).get(f"/api/v1/requests/{order.public_id}").json()
    assert (shown["state"], shown["held"]) == ("approved", None)


def test_who_may_not_see_a_request_cannot_take_anything_of_it_back(
    order: ApprovalRequest,
) -> None:
    assert undo(Caller(make_user("carla")), order).status_code == 404
