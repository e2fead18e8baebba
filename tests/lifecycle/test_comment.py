"""What is said stands, reaches who may know, and decides nothing."""

from __future__ import annotations

import hashlib

import pytest
from django.db import IntegrityError, connection

from approvals import lifecycle
from approvals.errors import (
    AlreadyAnswered,
    AlreadyClosed,
    InvalidFields,
    NoSuchQuestion,
    NotAReviewer,
)
from approvals.lifecycle.comment import THREAD_LIMIT, mentions
from approvals.models import ApprovalRequest, AuditEvent, Comment, Notice, QuestionDelivery, User
from approvals.models.request import new_public_id
from approvals.policy import Wanting
from approvals.states import AuditTag, Channel, CommentKind, NoticeKind, RequestState, Verdict
from tests.factories import make_request, make_source, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def order(anna: User, bert: User) -> ApprovalRequest:
    return make_request(anna, bert, timeout_seconds=900)


def say(order: ApprovalRequest, author: User, text: str = "Called him.", **more: bool):
    return lifecycle.comment(order.pk, author=author, text=text, **more)


def ask(order: ApprovalRequest, author: User, text: str = "Which depot?") -> Comment:
    return say(order, author, text, asks_requester=True).comment


def told(kind: NoticeKind = NoticeKind.MENTION) -> list[str]:
    rows = Notice.objects.filter(kind=kind).order_by("pk")
    return list(rows.values_list("user__username", flat=True))


def test_a_comment_stands_in_the_thread_and_by_its_hash_in_history(order, anna) -> None:
    entry = say(order, anna, "  He rang\r\nback.  ").comment
    assert (entry.kind, entry.text, entry.author) == (CommentKind.NOTE, "He rang\nback.", anna)
    line = AuditEvent.objects.filter(request=order).last()
    assert (line.tag, line.actor, line.at) == (AuditTag.COMMENTED, anna, entry.at)
    assert line.facts == {
        "spoken": str(entry.public_id),
        "text_sha256": hashlib.sha256(b"He rang\nback.").hexdigest(),
    }
    assert AuditEvent.objects.broken_at(order) is None


def test_a_comment_leaves_the_request_as_it_was(order, anna) -> None:
    before = ApprovalRequest.objects.values().get()
    say(order, anna)
    ask(order, anna)
    assert ApprovalRequest.objects.values().get() == before


@pytest.mark.parametrize("deed", ["UPDATE approvals_comment SET text = 'x'",
                                  "DELETE FROM approvals_comment",
                                  "TRUNCATE approvals_comment CASCADE"])  # fmt: skip
def test_what_was_said_is_neither_changed_nor_taken_away(order, anna, deed: str) -> None:
    say(order, anna)
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="what was said stands"):
        cursor.execute(deed)


def test_an_answer_without_a_question_is_refused_by_the_database(order) -> None:
    with pytest.raises(IntegrityError, match="people_comment_and_sources_answer"):
        Comment.objects.create(
            public_id=new_public_id(), request=order, kind="answer", text="x", at=order.received_at
        )


# --- Who may talk ---------------------------------------------------------------------


def test_an_operator_talks_and_an_auditor_only_reads(order) -> None:
    say(order, make_user("olga", role="operator"))
    with pytest.raises(NotAReviewer, match="Only reviewers who were asked"):
        say(order, make_user("audrey", role="auditor"))
    assert Comment.objects.count() == 1


def test_a_reviewer_who_was_not_asked_does_not_talk(order) -> None:
    with pytest.raises(NotAReviewer):
        say(order, make_user("carl"))


def test_who_wants_it_may_explain_it_but_not_decide_it(anna, bert) -> None:
    own = make_request(anna, bert, wanting=Wanting(requested_by="anna"))
    assert say(own, anna).comment.author == anna


def test_somebody_who_lost_the_role_does_not_talk(order, anna) -> None:
    anna.groups.clear()
    with pytest.raises(NotAReviewer):
        say(order, anna)


def test_a_closed_request_is_talked_about_but_nobody_is_asked_any_more(order, anna) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    say(order, anna)
    with pytest.raises(AlreadyClosed, match="Anna approved this"):
        ask(order, anna)


def test_nobody_is_asked_once_the_deadline_has_passed(order, anna) -> None:
    past_its_deadline(order)
    with pytest.raises(AlreadyClosed, match="The deadline passed"):
        ask(order, anna)


# --- Words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \r\n ", "Write something first."),
        ("x\0", "Take out the NUL character."),
        ("x" * 10_001, "Shorten it to 10,000 characters."),
        (" ".join(f"@p{n}" for n in range(21)), "Mention at most 20 people at once."),
    ],
)
def test_a_text_that_cannot_be_is_refused_in_a_sentence(order, anna, text: str, why: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        say(order, anna, text)
    assert refused.value.fields == {"text": why}


def test_ten_thousand_characters_are_taken(order, anna) -> None:
    assert len(say(order, anna, "ø" * 10_000).comment.text) == 10_000


def test_a_thread_is_full_at_some_point_and_an_answer_still_fits(order, anna) -> None:
    question = ask(order, anna)
    Comment.objects.bulk_create(
        Comment(public_id=new_public_id(), request=order, kind="note", author=anna, text="x",
                at=order.received_at)
        for _ in range(THREAD_LIMIT - 1)
    )  # fmt: skip
    with pytest.raises(InvalidFields, match="This thread is full"):
        say(order, anna)
    lifecycle.answer(order.pk, question.public_id, text="Depot 4.")


# --- Mentions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bert, see this.", ["bert"]),
        ("Ask @bert.", ["bert"]),
        ("(@bert) and @b.o+x-1 and @bert", ["bert", "b.o+x-1"]),
        ("bert@example.com", []),
        ("@bert@example.com", ["bert@example.com"]),
        ("@ and @. and @@", []),
    ],
)
def test_a_mention_is_a_username_after_an_at(text: str, names: list[str]) -> None:
    assert mentions(text) == names


def test_who_is_mentioned_and_may_see_it_is_told_once_for_each_comment(order, anna) -> None:
    say(order, anna, "@Bert and @bert: look")
    assert told() == ["bert"]
    say(order, anna, "@bert again")
    assert told() == ["bert", "bert"]
    assert Comment.objects.first().mentioned == ["bert"]


def test_the_author_is_never_told_of_their_own_words(order, anna) -> None:
    done = say(order, anna, "@anna will look")
    assert (told(), done.not_told) == ([], [])


def test_who_may_not_see_it_is_not_told_and_named_as_one_who_is_not_there(order, anna) -> None:
    make_user("carl")
    make_user("gone", role="operator")
    User.objects.filter(username="gone").update(is_active=False)
    done = say(order, anna, "@carl @nobody @gone @bert")
    assert done.not_told == ["carl", "nobody", "gone"]
    assert told() == ["bert"]


def test_an_auditor_who_sees_it_is_told(order, anna) -> None:
    make_user("audrey", role="auditor")
    assert say(order, anna, "@audrey: for the file").not_told == []
    assert told() == ["audrey"]


# --- Questions ------------------------------------------------------------------------


def test_a_question_is_owed_to_a_source_that_can_be_asked(anna) -> None:
    source = make_source(questions_url="https://orders.example.com/questions")
    order = make_request(anna, source=source)
    question = ask(order, anna)
    owed = QuestionDelivery.objects.get()
    assert (owed.question, owed.source, owed.next_attempt_at) == (question, source, question.at)
    assert AuditEvent.objects.filter(request=order).last().tag == AuditTag.QUESTIONED


def test_nothing_is_owed_to_a_source_without_an_address_nor_for_a_comment(order, anna) -> None:
    ask(order, anna)
    other = make_request(anna, source=make_source(questions_mail="desk@example.com"))
    say(other, anna)
    assert not QuestionDelivery.objects.exists()


def test_an_answer_stands_below_its_question_and_who_asked_is_told(order, anna, bert) -> None:
    question = ask(order, bert)
    entry = lifecycle.answer(order.pk, question.public_id, text="Depot 4.", answered_by="Otto\n O.")
    assert (entry.answers, entry.text, entry.answered_by) == (question, "Depot 4.", "Otto O.")
    assert told(NoticeKind.ANSWERED) == ["bert"]
    line = AuditEvent.objects.filter(request=order).last()
    assert (line.tag, line.actor) == (AuditTag.ANSWERED, None)
    assert line.facts["question"] == str(question.public_id)


def test_an_answer_mentions_nobody_however_many_names_it_holds(order, anna) -> None:
    names = " ".join(f"@p{number}" for number in range(30))
    lifecycle.answer(order.pk, ask(order, anna).public_id, text=f"@bert {names}")
    assert told() == []


def test_the_same_answer_twice_is_one(order, anna) -> None:
    question = ask(order, anna)
    first = lifecycle.answer(order.pk, question.public_id, text="Depot 4.")
    lines = AuditEvent.objects.count()
    assert lifecycle.answer(order.pk, question.public_id, text=" Depot 4. ") == first
    assert (AuditEvent.objects.count(), told(NoticeKind.ANSWERED)) == (lines, ["anna"])


def test_another_answer_does_not_take_the_place_of_the_first(order, anna) -> None:
    question = ask(order, anna)
    lifecycle.answer(order.pk, question.public_id, text="Depot 4.")
    with pytest.raises(AlreadyAnswered, match="that answer stands"):
        lifecycle.answer(order.pk, question.public_id, text="Depot 5.")
    with pytest.raises(AlreadyAnswered):
        lifecycle.answer(order.pk, question.public_id, text="Depot 4.", answered_by="Otto")
    assert Comment.objects.filter(kind=CommentKind.ANSWER).count() == 1


def test_an_answer_that_comes_after_the_end_is_kept_and_changes_nothing(order, anna) -> None:
    question = ask(order, anna)
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    lifecycle.answer(order.pk, question.public_id, text="Depot 4.")
    order.refresh_from_db()
    assert order.state == RequestState.APPROVED


def test_only_a_question_of_that_request_is_answered(order, anna) -> None:
    elsewhere = ask(make_request(anna), anna)
    note = say(order, anna).comment
    for other in (elsewhere.public_id, note.public_id, new_public_id()):
        with pytest.raises(NoSuchQuestion):
            lifecycle.answer(order.pk, other, text="Depot 4.")
