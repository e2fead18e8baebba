"""Following and withdrawing a request, as its source."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackDelivery, RequestKind, User
from approvals.states import CallbackVerb, Channel, Verdict
from tests.intake.sender import Sender, approve, make_sender, order, problem_of

SOMEBODY_ELSES = "7ea66d88-6282-4f6b-b2a3-30b79fa8110e"


def test_a_pending_request_has_no_outcome_yet(sender: Sender) -> None:
    opened = sender.open().json()

    followed = sender.get(f"/{opened['id']}")

    assert followed.status_code == 200
    assert followed.json() == {
        **opened,
        "outcome": None,
        "closed_at": None,
        "closed_because": "",
        "held": None,
        "decisions": [],
        "delivery": None,
    }


def test_a_decided_request_says_who_and_how_far_the_answer_is(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    approve(anna)

    answer = sender.get(f"/{opened['id']}").json()

    assert (answer["state"], answer["outcome"]) == ("approved", "approved")
    assert answer["closed_at"] is not None
    assert [each["by"] for each in answer["decisions"]] == ["anna"]
    assert answer["delivery"]["state"] == "pending"
    assert "Y2FsbGJhY2s" not in json.dumps(answer)


def test_a_held_decision_is_told_and_no_outcome_yet(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    RequestKind.objects.update(undo_seconds=10)
    row = ApprovalRequest.objects.get()
    lifecycle.decide(
        row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER, held=True
    )

    answer = sender.get(f"/{opened['id']}").json()

    assert (answer["state"], answer["outcome"], answer["delivery"]) == ("pending", None, None)
    assert (answer["held"]["verdict"], answer["held"]["by"]) == ("approved", "anna")
    lifecycle.undo(row.pk, reviewer=anna)
    again = sender.get(f"/{opened['id']}").json()
    assert (again["held"], again["decisions"]) == (None, [])


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_a_request_is_found_by_the_hash_of_its_callback_id(sender: Sender, change: Any) -> None:
    opened = sender.open().json()
    digest = change(hashlib.sha256(order()["callback_id"].encode()).hexdigest())

    found = sender.get(f"?callback_sha256={digest}")

    assert (found.status_code, found.json()["id"]) == (200, opened["id"])


@pytest.mark.parametrize("query", ["", "?callback_sha256=", "?callback_sha256=xyz%00"])
def test_a_search_without_a_hash_is_422(sender: Sender, query: str) -> None:
    errors = problem_of(sender.get(query), 422)["errors"]
    assert errors[0]["field"] == "callback_sha256"


def test_what_another_source_asked_is_404(sender: Sender) -> None:
    opened = sender.open().json()
    stranger = make_sender("payments")
    digest = hashlib.sha256(order()["callback_id"].encode()).hexdigest()

    problem_of(stranger.get(f"/{opened['id']}"), 404)
    problem_of(stranger.get(f"?callback_sha256={digest}"), 404)
    problem_of(stranger.withdraw(opened["id"]), 404)

    assert ApprovalRequest.objects.get().is_pending


@pytest.mark.parametrize("path", [f"/{SOMEBODY_ELSES}", "/not-a-uuid"])
def test_what_is_not_there_is_404(sender: Sender, path: str) -> None:
    problem_of(sender.get(path), 404)


def test_following_needs_a_signature_or_a_key(sender: Sender) -> None:
    path = f"{sender.address}/{sender.open().json()['id']}"
    problem_of(sender.client.get(path), 401)
    problem_of(sender.client.get(path, headers=sender.signed(b"{}")), 401)
    key = {"authorization": f"Bearer {sender.key}"}
    assert sender.client.get(path, headers=key).status_code == 200


def test_a_withdrawn_request_fails_its_callback(sender: Sender) -> None:
    opened = sender.open().json()

    answer = sender.withdraw(opened["id"])

    assert answer.status_code == 200
    assert answer.json()["outcome"] == "withdrawn"
    assert answer.json()["closed_because"] == "The order was cancelled."
    assert CallbackDelivery.objects.get().verb == CallbackVerb.FAIL


def test_withdrawing_twice_is_answered_like_once(sender: Sender) -> None:
    opened = sender.open().json()
    first = sender.withdraw(opened["id"])

    again = sender.withdraw(opened["id"], reason="Another reason.")

    assert (again.status_code, again.json()) == (200, first.json())


def test_what_was_decided_cannot_be_withdrawn(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    approve(anna)

    assert "Anna approved" in problem_of(sender.withdraw(opened["id"]), 409)["detail"]
    assert ApprovalRequest.objects.get().state == "approved"


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"id": SOMEBODY_ELSES}, "id"), ({"id": "x"}, "id"), ({"id": None}, "id"),
     ({"reason": ""}, "reason"), ({"reason": None}, "reason"), ({"reason": "x" * 501}, "reason"),
     ({"force": True}, "force")],
)  # fmt: skip
def test_a_bad_withdrawal_changes_nothing(
    sender: Sender, fields: dict[str, Any], named: str
) -> None:
    opened = sender.open().json()

    errors = problem_of(sender.withdraw(opened["id"], **fields), 422)["errors"]

    assert [error["field"] for error in errors] == [named]
    assert ApprovalRequest.objects.get().is_pending


def test_a_signature_for_one_request_withdraws_no_other(sender: Sender) -> None:
    opened = sender.open().json()
    other = sender.open(callback_id="b3RoZXI=").json()
    body = json.dumps({"id": opened["id"], "reason": "Cancelled."}).encode()

    problem_of(sender.post(body, to=f"{sender.address}/{other['id']}/withdraw"), 422)

    assert ApprovalRequest.objects.pending().count() == 2
