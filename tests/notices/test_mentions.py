"""Who is mentioned, or has asked, is told by mail: once, and while they may see the request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, Assignment, Notice, User
from approvals.notices import outbox
from approvals.states import Channel, NoticeKind, NoticeState, Verdict
from tests.factories import make_request, make_user
from tests.notices.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def order(anna: User, bert: User, server: Server) -> ApprovalRequest:
    """A request whose first mails have left."""
    order = make_request(anna, bert, title="Release order NO-1")
    outbox.send_due(now=database_now())
    server.taken.clear()
    return order


def send(server: Server) -> list[str]:
    outbox.send_due(now=database_now() + timedelta(seconds=1))
    return server.recipients()


def test_a_mention_is_one_mail_that_quotes_nothing_and_leads_to_the_thread(
    order, anna, server
) -> None:
    lifecycle.comment(order.pk, author=anna, text="@bert the code is 4711")
    assert send(server) == send(server) == ["bert@example.com"]
    (mail,) = server.taken
    assert mail.subject == "You are mentioned: Release order NO-1"
    assert "Anna mentioned you in the discussion." in mail.body
    assert f"{order.get_absolute_url()}#thread" in mail.body
    for text in (mail.body, mail.alternatives[0].content):
        assert "4711" not in text


def test_two_comments_are_two_mails_that_a_mail_program_tells_apart(order, anna, server) -> None:
    for text in ("@bert look", "@bert look again"):
        lifecycle.comment(order.pk, author=anna, text=text)
    assert send(server) == ["bert@example.com"] * 2
    ids = {mail.extra_headers["Message-ID"] for mail in server.taken}
    assert len(ids) == 2
    threads = {mail.extra_headers["In-Reply-To"] for mail in server.taken}
    assert [place.split(".")[0] for place in threads] == ["<asked"]


def test_a_mention_reaches_also_who_has_decided_and_after_the_end(
    order, anna, bert, server
) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.API)
    Notice.objects.filter(kind=NoticeKind.HANDLED).delete()
    lifecycle.comment(order.pk, author=anna, text="@bert why?")
    assert send(server) == ["bert@example.com"]


def test_who_may_not_see_the_request_any_more_is_not_told(order, anna, bert, server) -> None:
    lifecycle.comment(order.pk, author=anna, text="@bert look")
    Assignment.objects.filter(user=bert).delete()
    assert send(server) == []
    notice = Notice.objects.get(kind=NoticeKind.MENTION)
    assert notice.state == NoticeState.DROPPED
    assert notice.detail.startswith("The person may not see the request any more")


@pytest.mark.parametrize(("by", "words"), [("Otto", ", by Otto."), ("", "your question.")])
def test_who_asked_is_told_that_an_answer_is_there(order, bert, server, by, words) -> None:
    done = lifecycle.comment(order.pk, author=bert, text="Which depot?", asks_requester=True)
    lifecycle.answer(order.pk, done.comment.public_id, text="Depot 4.", answered_by=by)
    assert send(server) == ["bert@example.com"]
    (mail,) = server.taken
    assert mail.subject == "Your question is answered: Release order NO-1"
    assert words in mail.body
    assert "Depot 4" not in mail.body
