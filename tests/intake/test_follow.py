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
        "questions": [],
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


# --- Questions ------------------------------------------------------------------------


def ask(anna: User, text: str = "Which depot?") -> str:
    """A question about the only request there is; its id."""
    request_id = ApprovalRequest.objects.get().pk
    done = lifecycle.comment(request_id, author=anna, text=text, asks_requester=True)
    return str(done.comment.public_id)


def answer(sender: Sender, request_id: str, **fields: Any) -> Any:
    to = f"{sender.address}/{request_id}/answers"
    return sender.post(json.dumps(fields).encode(), to=to)


def test_a_source_reads_its_questions_answers_one_and_reads_the_answer(
    sender: Sender, anna: User
) -> None:
    opened = sender.open().json()
    lifecycle.comment(ApprovalRequest.objects.get().pk, author=anna, text="Not for the source.")
    question = ask(anna)

    (asked,) = sender.get(f"/{opened['id']}").json()["questions"]
    assert asked.pop("asked_at")
    assert asked == {
        "id": question,
        "text": "Which depot?",
        "asked_by": "anna",
        "answer": None,
        "answered_by": None,
        "answered_at": None,
    }

    taken = answer(sender, opened["id"], id=question, text="Depot 4.", answered_by="Otto")
    assert taken.status_code == 200
    (answered,) = taken.json()["questions"]
    assert (answered["answer"], answered["answered_by"]) == ("Depot 4.", "Otto")
    assert answered["answered_at"]
    assert taken.json()["state"] == "pending"


def test_an_answer_may_be_repeated_but_not_changed(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    said = {"id": ask(anna), "text": "Depot 4."}
    first, again = (answer(sender, opened["id"], **said).json() for _ in range(2))
    assert first == again
    problem_of(answer(sender, opened["id"], **said | {"text": "Depot 5."}), 409)
    approve(anna)
    assert answer(sender, opened["id"], **said).status_code == 200


def test_an_answer_that_comes_after_the_decision_is_taken(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    question = ask(anna)
    approve(anna)
    taken = answer(sender, opened["id"], id=question, text="Depot 4.")
    assert (taken.status_code, taken.json()["state"]) == (200, "approved")


def test_an_answer_to_what_was_not_asked_is_404(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    ask(anna)
    problem_of(answer(sender, opened["id"], id=SOMEBODY_ELSES, text="Depot 4."), 404)
    problem_of(answer(sender, SOMEBODY_ELSES, id=ask(anna), text="Depot 4."), 404)


@pytest.mark.parametrize(
    "wrong",
    [{"text": ""}, {"text": "x" * 10_001}, {"text": 4}, {"id": "1"}, {"answered_by": "x" * 256},
     {"answered_by": ""}, {"more": "x"}, {"text": "  "}],
)  # fmt: skip
def test_an_answer_with_a_wrong_field_is_422(sender: Sender, anna: User, wrong: Any) -> None:
    opened = sender.open().json()
    question = ask(anna)
    problem_of(answer(sender, opened["id"], **{"id": question, "text": "Depot 4."} | wrong), 422)


def test_another_source_reads_and_answers_nothing(sender: Sender, anna: User) -> None:
    opened = sender.open().json()
    question = ask(anna)
    other = make_sender("other")
    problem_of(answer(other, opened["id"], id=question, text="Depot 4."), 404)
    body = json.dumps({"id": question, "text": "Depot 4."}).encode()
    to = f"{sender.address}/{opened['id']}/answers"
    problem_of(sender.post(body, to=to, headers=other.signed(body)), 401)
    problem_of(sender.post(body, to=to, headers={}), 401)
    key = {"Authorization": f"Bearer {sender.key}"}
    assert sender.post(body, to=to, headers=key).status_code == 200
