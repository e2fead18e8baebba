"""The thread on the page: who may talk there, what is told beside the field, and live."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import ApprovalRequest, Comment, QuestionDelivery, User
from approvals.review.thread import SHOWN, pieces_of
from approvals.states import Channel, QuestionState, Verdict
from tests.factories import make_request, make_source, make_user
from tests.review.people import HTMX, Caller, signed_in

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


def say(client: Client, order: ApprovalRequest, text: str, *, htmx: bool = False, **more: str):
    headers = HTMX if htmx else {}
    address = f"/requests/{order.public_id}/comments/"
    return client.post(address, {"text": text, **more}, headers=headers)


def page(client: Client, order: ApprovalRequest) -> str:
    return client.get(order.get_absolute_url()).content.decode()


def panel(client: Client, order: ApprovalRequest, **headers: str):
    return client.get(f"/requests/{order.public_id}/panel/", headers=headers)


def test_a_comment_by_a_plain_form_leads_back_to_the_thread(order, anna) -> None:
    client = signed_in(anna)
    answer = say(client, order, "Called him.")
    assert (answer.status_code, answer["Location"]) == (303, f"{order.get_absolute_url()}#thread")
    assert "Called him." in page(client, order)


def test_a_comment_by_htmx_brings_the_thread_and_the_history_and_no_page(order, anna) -> None:
    text = say(signed_in(anna), order, "Called him.", htmx=True).content.decode()
    assert "<html" not in text
    assert 'id="thread"' in text
    assert 'hx-target="#history"' in text
    assert "Your comment is written down." in text


def test_what_is_written_is_text_and_never_markup(order, anna) -> None:
    client = signed_in(anna)
    hostile = "<script>alert(1)</script> [x](javascript:alert(1)) \u202e**b**"
    say(client, order, hostile)
    text = page(client, order)
    assert escape("<script>alert(1)</script> [x](javascript:alert(1)) [U+202E]**b**") in text
    assert "<script>alert" not in text


def test_an_empty_comment_says_so_beside_the_field(order, anna) -> None:
    answer = say(signed_in(anna), order, "  ", htmx=True)
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()
    assert not Comment.objects.exists()


def test_too_long_a_comment_is_kept_in_the_field(order, anna) -> None:
    answer = say(signed_in(anna), order, "long" * 2_501)
    assert answer.status_code == 422
    assert "Shorten it to 10,000 characters." in answer.content.decode()
    assert "long" * 2_501 in answer.content.decode()


def test_an_auditor_reads_the_thread_and_has_no_field(order, anna) -> None:
    say(signed_in(anna), order, "Called him.")
    auditor = signed_in(make_user("audrey", role="auditor"))
    text = page(auditor, order)
    assert "Called him." in text
    assert 'class="talk"' not in text
    answer = say(auditor, order, "Me too")
    assert answer.status_code == 403
    assert "Only reviewers who were asked and operators" in answer.content.decode()
    assert Comment.objects.count() == 1


def test_who_may_not_see_the_request_gets_404_and_a_stranger_the_sign_in_page(order) -> None:
    assert say(signed_in(make_user("carl")), order, "Hello").status_code == 404
    assert say(Client(), order, "Hello")["Location"].startswith("/accounts/login/")
    assert not Comment.objects.exists()


def test_a_comment_needs_its_token(order, anna) -> None:
    assert say(signed_in(anna, csrf=True), order, "Hello").status_code == 403


def test_a_get_writes_nothing(order, anna) -> None:
    assert signed_in(anna).get(f"/requests/{order.public_id}/comments/").status_code == 405


@pytest.mark.parametrize("htmx", [True, False])
def test_whom_nobody_could_tell_is_said_beside_the_field(order, anna, htmx: bool) -> None:
    client = signed_in(anna)
    answer = say(client, order, "@carl @bert look", htmx=htmx)
    text = answer.content.decode() if htmx else page(client, order)
    assert "@carl cannot see this request and was not told." in text
    assert '<b class="remark-name">@bert</b>' in text
    assert '<b class="remark-name">@carl</b>' not in text


def test_several_whom_nobody_could_tell_are_said_in_the_plural(order, anna) -> None:
    make_user("dora")
    text = say(signed_in(anna), order, "@carl @dora look", htmx=True).content.decode()
    assert "@carl and @dora cannot see this request and were not told." in text


def test_a_name_is_marked_only_where_it_is_a_mention() -> None:
    pieces = pieces_of("@bert, x@bert @Bert @berta @bert.", ["bert"])
    assert [piece.text for piece in pieces if piece.mentions] == ["@bert", "@Bert", "@bert"]


# --- Questions ------------------------------------------------------------------------


def test_a_question_is_shown_as_waiting_until_it_is_answered(order, anna, bert) -> None:
    client = signed_in(anna)
    say(client, order, "Which depot?", ask="on")
    text = page(client, order)
    assert "Waits for an answer" in text
    assert "A question</a> wait" not in text
    assert "A question to the requester</a> waits for an answer." in text
    question = Comment.objects.get()
    lifecycle.answer(order.pk, question.public_id, text="Depot 4.", answered_by="Otto")
    text = page(signed_in(bert), order)
    assert "Depot 4." in text
    assert "<b>Otto</b> answered" in text
    assert "Waits for an answer" not in text


def test_a_question_that_came_too_late_is_kept_and_says_who_was_first(order, anna, bert) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER)
    answer = say(signed_in(anna), order, "Which depot?", ask="on", htmx=True)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Bert approved this at" in text
    assert "Which depot?" in text
    assert not Comment.objects.exists()


def test_a_closed_request_offers_no_question_and_an_unanswered_one_waits_no_more(
    order, anna, bert
) -> None:
    client = signed_in(anna)
    say(client, order, "Which depot?", ask="on")
    assert "Ask the requester" in page(client, order)
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER)
    text = page(client, order)
    assert "Ask the requester" not in text
    assert "Waits for an answer" not in text
    assert 'class="talk"' in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"questions_url": "https://a.example/q"}, "A question is sent to Shop."),
        ({"questions_mail": "a@shop.example"}, "A question is mailed to the people behind Shop."),
        ({}, "Shop has named no address for questions: one waits here until its function"),
    ],
)
def test_the_page_says_beside_the_button_which_way_a_question_goes(
    anna, fields: dict[str, str], words: str
) -> None:
    source = make_source("shop", **fields)
    text = page(signed_in(anna), make_request(anna, source=source, timeout_seconds=900))
    assert words in text
    assert "at the deadline nothing waits for the answer" in text


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({}, "On its way to the source."),
        ({"detail": "It answered 500."}, "Not sent yet, and tried again: It answered 500."),
        ({"state": QuestionState.SENT}, "The source has it."),
        ({"state": QuestionState.DROPPED, "detail": "It answered 410."},
         "It did not reach the source: It answered 410."),
    ],
)  # fmt: skip
def test_the_page_says_how_far_a_question_has_come(anna, moved: dict[str, str], words) -> None:
    order = make_request(anna, source=make_source(questions_mail="a@shop.example"))
    client = signed_in(anna)
    say(client, order, "Which depot?", ask="on")
    QuestionDelivery.objects.update(**moved)
    assert words in page(client, order)


# --- Live -----------------------------------------------------------------------------


def test_a_comment_a_question_under_way_and_an_answer_each_change_the_panel(anna, bert) -> None:
    order = make_request(anna, bert, source=make_source(questions_mail="a@shop.example"))
    client, seen = signed_in(anna), []

    def look() -> None:
        version = panel(client, order)["HX-PTag"]
        assert version not in seen
        seen.append(version)

    look()
    lifecycle.comment(order.pk, author=bert, text="Called him.")
    look()
    done = lifecycle.comment(order.pk, author=bert, text="Which depot?", asks_requester=True)
    look()
    QuestionDelivery.objects.update(attempts=1)
    look()
    QuestionDelivery.objects.update(state="sent", settled_at=done.comment.at)
    look()
    lifecycle.answer(order.pk, done.comment.public_id, text="Depot 4.")
    look()


def test_looking_again_at_a_thread_costs_no_statement_more(
    order, anna, bert, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    lifecycle.comment(order.pk, author=bert, text="Called him.")
    client = signed_in(anna)
    version = panel(client, order)["HX-PTag"]
    with django_assert_max_num_queries(2):
        assert panel(client, order, **{"HX-PTag": version}).status_code == 304


def test_the_poll_brings_the_lines_and_never_the_field_that_is_typed_in(order, anna, bert) -> None:
    lifecycle.comment(order.pk, author=bert, text="Called him.")
    text = panel(signed_in(anna), order, **HTMX).content.decode()
    assert '<hx-partial hx-target="#thread-lines"' in text
    assert "Called him." in text
    assert 'class="talk"' not in text


def test_only_the_newest_are_shown_at_once(order, anna) -> None:
    for number in range(SHOWN + 3):
        lifecycle.comment(order.pk, author=anna, text=f"Call {number}")
    text = page(signed_in(anna), order)
    assert "3 earlier messages" in text
    assert (
        text.index("Call 2<")
        < text.index("</details>", text.index("3 earlier"))
        < text.index("Call 3<")
    )


# --- API ------------------------------------------------------------------------------


def post(caller: Caller, order: ApprovalRequest, body: object):
    address = f"/api/v1/requests/{order.public_id}/comments"
    return Client().post(
        address, json.dumps(body), content_type="application/json", headers=caller.headers
    )


def test_a_program_comments_and_reads_the_thread(order, anna) -> None:
    caller = Caller(anna)
    said = post(caller, order, {"text": "@bert @carl look"})
    assert said.status_code == 201
    assert said.json()["not_told"] == ["carl"]
    asked = post(caller, order, {"text": "Which depot?", "ask_requester": True}).json()
    lifecycle.answer(order.pk, Comment.objects.last().public_id, text="Depot 4.")
    read = caller.get(f"/api/v1/requests/{order.public_id}").json()["comments"]
    assert [(line["kind"], line["by"], line["text"]) for line in read] == [
        ("note", "anna", "@bert @carl look"),
        ("question", "anna", "Which depot?"),
        ("answer", order.source.slug, "Depot 4."),
    ]
    assert read[2]["answers"] == asked["id"] == read[1]["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": ""}, 422),
        ({"text": "x" * 10_001}, 422),
        ({"text": 1}, 422),
        ({"text": "x", "more": 1}, 422),
        ({}, 422),
        ([], 422),
    ],
)
def test_a_program_that_writes_nonsense_is_told_so(order, anna, body: object, status: int) -> None:
    answer = post(Caller(anna), order, body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not Comment.objects.exists()


def test_the_gate_of_the_api_is_the_gate_of_the_page(order, anna, bert) -> None:
    audrey, carl = make_user("audrey", role="auditor"), make_user("carl")
    assert post(Caller(audrey), order, {"text": "x"}).status_code == 403
    assert post(Caller(carl), order, {"text": "x"}).status_code == 404
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.API)
    assert post(Caller(anna), order, {"text": "x", "ask_requester": True}).status_code == 409
    assert post(Caller(anna), order, {"text": "x"}).status_code == 201
