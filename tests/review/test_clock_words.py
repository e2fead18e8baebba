"""What a clock did reads as what it was: never as a person's approval."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle.desk import closing_sentence
from approvals.models import ApprovalRequest, Notice, User
from approvals.notices.mail import compose
from approvals.states import Channel, NoticeKind, OnTimeout, RequestState, Verdict
from tests.factories import make_request, make_user, past_its_deadline
from tests.intake.sender import make_sender
from tests.review.people import Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = {
    OnTimeout.FAIL: "Nobody decided in time",
    OnTimeout.REJECT: "Rejected by rule, as nobody decided in time",
    OnTimeout.APPROVE: "Approved by rule, as nobody decided in time",
    OnTimeout.LAPSE: "Nobody decided in time",
}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def expired(anna: User, rule: OnTimeout, **fields: object) -> ApprovalRequest:
    fields = {"timeout_seconds": 600, "on_timeout": rule, **fields}
    request = past_its_deadline(make_request(anna, **fields))
    lifecycle.strike_due(now=database_now())
    request.refresh_from_db()
    assert request.state == RequestState.EXPIRED
    return request


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("rule", OnTimeout)
def test_a_page_says_that_nobody_decided_and_by_which_rule_it_ended(
    anna: User, rule: OnTimeout
) -> None:
    page = text_of(signed_in(anna), expired(anna, rule).get_absolute_url())
    assert WORDS[rule] in page
    assert "Approved by Anna" not in page
    assert ("No person approved it." in page) is (rule is OnTimeout.APPROVE)


@pytest.mark.parametrize("rule", OnTimeout)
def test_the_mail_and_the_refusal_of_a_late_click_say_the_same(anna: User, rule: OnTimeout) -> None:
    request = expired(anna, rule)
    notice = Notice.objects.get(kind=NoticeKind.HANDLED)
    assert closing_sentence(request).startswith(WORDS[rule])
    assert closing_sentence(request) in compose(notice).body
    late = Caller(anna).decide(request, {"verdict": "approved"})
    assert late.status_code == 409
    assert late.json()["detail"].startswith(WORDS[rule])


@pytest.mark.parametrize("rule", OnTimeout)
def test_a_program_reads_expired_and_the_clock_where_a_person_would_stand(
    anna: User, rule: OnTimeout
) -> None:
    sender = make_sender()
    request = expired(anna, rule, source=sender.source)
    told = sender.get(f"/{request.public_id}").json()
    seen = Caller(anna).get(f"/api/v1/requests/{request.public_id}").json()
    assert (told["state"], told["outcome"], seen["state"]) == ("expired",) * 3
    by_clock = [] if rule is OnTimeout.LAPSE else [("clock", "system")]
    for answer in (told, seen):
        assert [(each["by"], each["channel"]) for each in answer["decisions"]] == by_clock


def test_lists_tell_a_rule_from_a_person(anna: User) -> None:
    bert, olga = make_user("bert"), make_user("olga", role="operator")
    fields = {"timeout_seconds": 600, "required_approvals": 2, "on_timeout": OnTimeout.APPROVE}
    request = make_request(anna, bert, **fields)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    lifecycle.strike_due(now=past_its_deadline(request).answer_by)

    mine = text_of(signed_in(anna), "/requests/?view=decided-by-me")
    assert "You approved this, sending…; approved by rule, as nobody decided in time" in mine
    operated = text_of(signed_in(olga), "/operations/deliveries/")
    assert WORDS[OnTimeout.APPROVE] in operated
    assert "by a rule" in operated


def test_history_tells_what_each_clock_meant(anna: User) -> None:
    soft = {"due_in_seconds": 10, "escalate_in_seconds": 20}
    request = make_request(anna, timeout_seconds=600, **soft)
    lifecycle.strike_due(now=request.received_at + timedelta(seconds=30))
    page = text_of(signed_in(anna), request.get_absolute_url())
    assert "<b>The request</b> is due; it waits on" in page
    assert "others should be asked; an operator can ask them" in page
    assert "passed before anybody decided" not in page
