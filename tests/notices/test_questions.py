"""A question reaches its source at least once, by the way it has named, while it still waits."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.conf import settings
from django.db import connection, connections

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, Comment, QuestionDelivery, SourceSecret, User
from approvals.notices import outbox, questions, webhook
from approvals.notices.questions import FIRST_PAUSE, LEASE, LONGEST_PAUSE
from approvals.notices.webhook import NotTaken
from approvals.states import Channel, QuestionState, Verdict
from tests.factories import make_request, make_source, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://orders.example.com/questions"


class Door:
    """Takes what is posted; before each it does what it is told in MEANWHILE."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.meanwhile = lambda url: None

    def post(self, url: str, body: bytes, headers: dict[str, str], *, private: bool) -> None:
        assert not connection.in_atomic_block
        assert private is settings.QUESTIONS_TO_PRIVATE
        self.meanwhile(url)
        self.came.append((url, json.loads(body), headers))


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(webhook, "post", door.post)
    return door


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def ask(anna: User, *, text: str = "Which depot?", **fields: str) -> Comment:
    """A question to a source of its own, with FIELDS."""
    source = make_source(**(fields or {"questions_url": URL}))
    SourceSecret.new(source)[0].save()
    request = make_request(anna, source=source, title="Release order NO-1", timeout_seconds=900)
    return lifecycle.comment(request.pk, author=anna, text=text, asks_requester=True).comment


def send(*, later: timedelta = timedelta(seconds=1)) -> int:
    return questions.send_due(now=database_now() + later)


def refuse(detail: str, *, for_good: bool = False):
    def say_no(_url: str) -> None:
        raise NotTaken(detail, for_good=for_good)

    return say_no


def test_a_question_is_posted_once_signed_with_all_that_an_answer_needs(anna, door) -> None:
    question = ask(anna)
    request, slug = question.request, question.request.source.slug
    assert send() == 1
    assert send() == 0
    ((url, body, headers),) = door.came
    assert url == URL
    base = f"{settings.BASE_URL}"
    assert body == {
        "type": "question.asked",
        "id": headers["webhook-id"],
        "request_id": str(request.public_id),
        "question_id": str(question.public_id),
        "text": "Which depot?",
        "asked_by": "anna",
        "url": f"{base}/requests/{request.public_id}/#thread",
        "answer_url": f"{base}/api/v1/sources/{slug}/requests/{request.public_id}/answers",
    }
    assert headers["webhook-signature"].startswith("v1,")
    row = QuestionDelivery.objects.get()
    assert (row.state, row.attempts, row.detail) == (QuestionState.SENT, 1, "")


def test_each_live_secret_signs_while_one_is_rotated(anna, door) -> None:
    question = ask(anna)
    SourceSecret.new(question.request.source)[0].save()
    ended, _ = SourceSecret.new(question.request.source)
    ended.expires_at = database_now() - timedelta(seconds=1)
    ended.save()
    send()
    assert len(door.came[0][2]["webhook-signature"].split()) == 2


def test_a_question_is_mailed_where_the_source_has_named_a_mail_address(
    anna, door, mailoutbox
) -> None:
    question = ask(anna, questions_mail="desk@orders.example.com", text="Which <depot>?")
    assert send() == 1
    (mail,) = mailoutbox
    assert mail.to == ["desk@orders.example.com"]
    assert mail.subject == "A question before this is decided: Release order NO-1"
    assert "Anna" not in mail.subject
    assert "anna asks, before this is decided:\n\nWhich <depot>?" in mail.body
    assert f'{{"id": "{question.public_id}", "text": "…"}}' in mail.body
    assert question.request.callback_id not in mail.body
    assert QuestionDelivery.objects.get().state == QuestionState.SENT
    assert door.came == []


def test_what_is_not_taken_is_sent_again_later_and_later_under_the_same_id(anna, door) -> None:
    ask(anna)
    seen = []
    door.meanwhile = refuse("It answered 500.")
    for pause in (FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4):
        now = QuestionDelivery.objects.get().next_attempt_at
        assert questions.send_due(now=now) == 1
        row = QuestionDelivery.objects.get()
        assert (row.state, row.detail) == (QuestionState.PENDING, "It answered 500.")
        assert row.next_attempt_at == now + pause
    door.meanwhile = seen.append
    assert questions.send_due(now=QuestionDelivery.objects.get().next_attempt_at) == 1
    assert QuestionDelivery.objects.get().state == QuestionState.SENT
    assert len(seen) == len(door.came) == 1


def test_the_pause_does_not_grow_for_ever(anna, door) -> None:
    ask(anna)
    QuestionDelivery.objects.update(attempts=500)
    door.meanwhile = refuse("It answered 500.")
    now = database_now() + timedelta(seconds=1)
    questions.send_due(now=now)
    assert QuestionDelivery.objects.get().next_attempt_at == now + LONGEST_PAUSE


def test_an_address_that_is_gone_for_good_is_not_asked_again(anna, door) -> None:
    ask(anna)
    door.meanwhile = refuse("It answered 410.", for_good=True)
    assert send() == 1
    row = QuestionDelivery.objects.get()
    assert (row.state, row.detail) == (QuestionState.DROPPED, "It answered 410.")


def test_a_worker_that_dies_on_the_way_costs_a_lease_and_not_the_question(
    anna, door, monkeypatch
) -> None:
    ask(anna)

    def die(_attempts: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(questions, "_hand_over", die)
        with pytest.raises(SystemExit):
            send()
    assert send() == 0
    assert send(later=LEASE + timedelta(seconds=2)) == 1
    assert QuestionDelivery.objects.get().state == QuestionState.SENT


def test_an_attempt_that_was_overtaken_settles_nothing(anna, door) -> None:
    ask(anna)

    def overtaken(_url: str) -> None:
        try:
            QuestionDelivery.objects.update(attempts=2)
        finally:
            connections.close_all()  # of this thread

    door.meanwhile = overtaken
    send()
    assert QuestionDelivery.objects.get().state == QuestionState.PENDING


def _approve(question: Comment) -> None:
    lifecycle.decide(
        question.request_id,
        verdict=Verdict.APPROVED,
        reviewer=question.author,
        channel=Channel.API,
    )


def _answer(question: Comment) -> None:
    lifecycle.answer(question.request_id, question.public_id, text="Depot 4.")


def _past(question: Comment) -> None:
    past_its_deadline(ApprovalRequest.objects.get(pk=question.request_id))


def _no_address(question: Comment) -> None:
    source = question.request.source
    source.questions_url = ""
    source.save(update_fields=["questions_url"])


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (_approve, "The request no longer waits for a decision."),
        (_past, "The request no longer waits for a decision."),
        (_answer, "It is answered already."),
        (_no_address, "The source has no address for questions any more."),
    ],
)
def test_what_is_no_longer_needed_is_not_sent(anna, door, then, why: str) -> None:
    then(ask(anna))
    assert send() == 1
    row = QuestionDelivery.objects.get()
    assert (row.state, row.detail, door.came) == (QuestionState.DROPPED, why, [])


def test_sources_are_asked_side_by_side_so_that_one_that_hangs_holds_up_nobody(anna, door) -> None:
    urls = [f"https://{name}.example.com/" for name in ("a", "b", "c")]
    for url in urls:
        ask(anna, questions_url=url)
    together = Barrier(3)
    door.meanwhile = lambda url: together.wait(10)
    assert send() == 3
    assert sorted(url for url, *_ in door.came) == urls


def test_the_questions_of_one_source_go_one_after_the_other_oldest_first(anna, door) -> None:
    first = ask(anna)
    lifecycle.comment(first.request_id, author=anna, text="And when?", asks_requester=True)
    assert send() == 2
    assert [body["text"] for _, body, _ in door.came] == ["Which depot?", "And when?"]


def test_two_sweeps_at_once_ask_once(anna, door) -> None:
    for _ in range(4):
        ask(anna)

    def sweep(_: int) -> int:
        try:
            return send()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(sweep, range(2))) == 4
    assert len(door.came) == 4


def test_a_question_that_cannot_be_written_does_not_hold_up_the_others(
    anna, door, monkeypatch
) -> None:
    bad = ask(anna, text="bad")
    ask(anna, text="good")
    written = questions.post_for

    def post_for(question: Comment, **more: object):
        if question.text == "bad":
            raise RuntimeError
        return written(question, **more)

    monkeypatch.setattr(questions, "post_for", post_for)
    assert send() == 2
    assert [body["text"] for _, body, _ in door.came] == ["good"]
    row = QuestionDelivery.objects.get(question=bad)
    assert row.detail == "It could not be written; see the log."
    assert row.next_attempt_at > database_now()


def test_a_source_that_answers_byte_by_byte_is_not_waited_for(anna, door, monkeypatch) -> None:
    ask(anna)
    monkeypatch.setattr(questions, "ROUND_LIMIT", timedelta(seconds=0.1))
    until = Event()
    door.meanwhile = lambda url: until.wait(10)
    assert send() == 1
    row = QuestionDelivery.objects.get()
    assert (row.state, row.detail) == (QuestionState.PENDING, "It did not answer in time.")
    until.set()


def test_mails_and_questions_together_hold_one_place(anna, door) -> None:
    ask(anna)
    waiting, gone_on = Event(), Event()

    def hang(_url: str) -> None:
        waiting.set()
        gone_on.wait(10)

    door.meanwhile = hang

    def sweep() -> int:
        try:
            return send()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sweep)
        assert waiting.wait(10)
        mails = outbox.send_due(now=database_now() + timedelta(seconds=1))
        gone_on.set()
        assert sending.result(10) == 1
    assert mails == 0
    assert outbox.send_due(now=database_now() + timedelta(seconds=1)) > 0
