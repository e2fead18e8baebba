"""What a mail says, and what it never says."""

from __future__ import annotations

import re

import pytest
from django.core import mail as django_mail

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import Notice, User
from approvals.notices import mail, outbox
from approvals.policy import Wanting
from approvals.states import Channel, NoticeKind, Verdict
from tests.factories import make_request, make_source, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def asked(**fields):
    """The mail to Anna about a request with FIELDS, and the request."""
    request = make_request(make_user("anna"), source=make_source("orders"), **fields)
    return mail.compose(Notice.objects.get(request=request)), request


def parts(message) -> list[str]:
    return [message.body, *(str(part.content) for part in message.alternatives)]


def test_it_names_source_requester_and_deadline_and_leads_to_the_page(settings):
    settings.TIME_ZONE = "UTC"
    message, request = asked(
        title="Release order NO-1", wanting=Wanting("carla"), timeout_seconds=3600
    )
    assert message.subject == "Your decision is asked: Release order NO-1"
    assert message.to == ["anna@example.com"]
    for part in parts(message):
        assert "Orders asks for a decision" in part
        assert "carla" in part
        assert f"{request.answer_by:%H:%M:%S}" in part
        assert f"{settings.BASE_URL}{request.get_absolute_url()}" in part
        assert "Nothing is decided by opening" in part


def test_its_only_link_opens_the_page_of_the_request(settings):
    message, request = asked()
    here = settings.BASE_URL + request.get_absolute_url()
    for part in parts(message):
        assert set(re.findall(r"https?://[^\s\"<]+", part)) == {here}


def test_callback_id_payload_and_summary_are_never_in_it():
    message, request = asked(payload={"card": "4111-secret"}, summary="secret sum")
    raw = message.message().as_string() + "".join(parts(message))
    assert request.callback_id not in raw
    assert "4111" not in raw
    assert "secret sum" not in raw


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@example.com", "x\nSubject: y", "x\u2028y", "x\x0by"]
)
def test_a_title_cannot_add_a_header(evil):
    message, _ = asked(title=evil)
    raw = message.message()
    assert raw["Bcc"] is None
    assert len(raw.get_all("Subject")) == 1
    assert "\n" not in message.subject
    assert "\r" not in message.subject


def test_hidden_characters_of_a_title_are_shown():
    message, _ = asked(title="Pay \u202e00.1")
    assert message.subject == "Your decision is asked: Pay [U+202E]00.1"


def test_a_title_is_text_in_the_html_part_and_itself_in_the_plain_part():
    message, _ = asked(title="<b>A & B</b>")
    plain, html = parts(message)
    assert "<b>A & B</b>" in plain
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in html
    assert "<b>A" not in html


def test_it_says_that_a_machine_wrote_it_and_keeps_its_name():
    message, request = asked()
    again = mail.compose(Notice.objects.get(request=request))
    headers = message.message()
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"] == again.message()["Message-ID"]
    assert headers["Message-ID"].endswith("@testserver>")


@pytest.mark.parametrize(
    ("rule", "words"),
    [("fail", "told so"), ("reject", "rejected"), ("approve", "approved"), ("lapse", "stops")],
)
def test_it_says_what_happens_when_nobody_decides(rule, words):
    message, _ = asked(on_timeout=rule, timeout_seconds=600)
    assert all(words in part for part in parts(message))


def test_a_request_without_deadline_says_that_it_waits():
    message, _ = asked()
    assert all("It waits until somebody decides." in part for part in parts(message))


def test_handled_says_by_whom_and_answers_the_first_mail():
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna, bert)
    outbox.send_due(now=database_now())
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    first = mail.compose(Notice.objects.get(user=bert, kind=NoticeKind.ASKED))
    second = mail.compose(Notice.objects.get(user=bert, kind=NoticeKind.HANDLED))
    assert all("Anna approved this at" in part for part in parts(second))
    assert second.message()["In-Reply-To"] == first.message()["Message-ID"]
    assert second.message()["Message-ID"] != first.message()["Message-ID"]


def test_the_real_backend_sends_it():
    make_request(make_user("anna"))
    outbox.send_due(now=database_now())
    assert [message.to for message in django_mail.outbox] == [["anna@example.com"]]
    assert User.objects.get().email == "anna@example.com"
