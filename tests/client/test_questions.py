"""A function reads what reviewers ask, and answers."""

from __future__ import annotations

import json

import countersign
import pytest
from standardwebhooks.webhooks import Webhook

from tests.client.conftest import Clock
from tests.client.standin import SECRET, Answer, StandInPortal

ASKED = {
    "id": "q1",
    "text": "Which depot?",
    "asked_by": "dana",
    "asked_at": "2026-11-28T20:00:00Z",
    "answer": None,
    "answered_by": None,
    "answered_at": None,
}
BUSY = Answer(503, {"title": "Busy"})


def follows(*questions: object) -> Answer:
    return Answer(200, {"id": "r1", "state": "pending", "questions": list(questions)})


def test_questions_are_read_by_a_signed_get(portal: StandInPortal) -> None:
    portal.answers.append(follows(ASKED | {"new_field": 1}))

    assert countersign.questions("r1") == [ASKED]

    (received,) = portal.received
    assert (received.path, received.body) == ("/api/v1/sources/shop/requests/r1", b"")
    stamp, said = received.header("webhook-timestamp"), received.header("webhook-signature")
    signed = {"webhook-id": received.header("webhook-id"), "webhook-timestamp": stamp}
    with pytest.raises(json.JSONDecodeError):  # verified, and then there is no JSON in it
        Webhook(SECRET).verify("", signed | {"webhook-signature": said})


def test_an_answer_is_posted_under_one_id_for_each_question(portal: StandInPortal) -> None:
    portal.answers.extend([follows(), follows(), follows()])

    countersign.answer("r1", "q1", "Depot 4.", answered_by="Otto")
    countersign.answer("r1", "q1", "Depot 4.", answered_by="Otto")
    countersign.answer("r1", "q2", "Today.")

    first, again, other = portal.received
    assert first.path == "/api/v1/sources/shop/requests/r1/answers"
    assert first.content == {"id": "q1", "text": "Depot 4.", "answered_by": "Otto"}
    assert other.content == {"id": "q2", "text": "Today."}
    assert first.body == again.body
    assert first.header("webhook-id") == again.header("webhook-id") != other.header("webhook-id")
    assert Webhook(SECRET).verify(first.body.decode(), dict(first.headers))


def test_a_portal_that_is_busy_is_asked_again(portal: StandInPortal, clock: Clock) -> None:
    portal.answers.extend([BUSY, follows(ASKED), BUSY, follows(ASKED)])

    assert countersign.questions("r1") == [ASKED]
    countersign.answer("r1", "q1", "Depot 4.")

    assert len(portal.received) == 4


def test_another_answer_than_the_first_is_refused(portal: StandInPortal) -> None:
    portal.answers.append(Answer(409, {"title": "The question has another answer", "detail": "."}))

    with pytest.raises(countersign.ApprovalRefused) as refused:
        countersign.answer("r1", "q1", "Depot 5.")
    assert refused.value.status == 409


@pytest.mark.parametrize("questions", [None, {}, [1], [{"id": 1, "text": "x"}], [{"id": "q1"}]])
def test_what_is_no_list_of_questions_is_not_the_portals(
    portal: StandInPortal, questions: object
) -> None:
    portal.answers.append(Answer(200, {"questions": questions}))

    with pytest.raises(countersign.ApprovalRefused, match="not Countersign's"):
        countersign.questions("r1")


def test_an_id_is_never_a_way_to_another_address(portal: StandInPortal) -> None:
    portal.answers.append(follows())
    countersign.questions("../x?y")
    assert portal.received[0].path == "/api/v1/sources/shop/requests/..%2Fx%3Fy"
