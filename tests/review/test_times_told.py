"""Refusals tell their times as pages do: in the reader's zone; programs are told them in UTC."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import lifecycle
from approvals.models import ApprovalRequest, User
from approvals.states import Channel, Verdict
from tests.factories import make_kind, make_request, make_user
from tests.review.people import Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = re.compile(r"at (\d\d):\d\d:\d\d (\w+) on (\d+ \w+ \d{4})")


@pytest.fixture
def anna() -> User:
    anna = make_user("anna")
    anna.time_zone = "Asia/Tokyo"
    anna.save(update_fields=["time_zone"])
    return anna


def decide(client: Client, request: ApprovalRequest) -> str:
    form = {"verdict": "approved", "seen": request.payload_sha256}
    answer = client.post(reverse("approvals:decide", args=[request.public_id]), form)
    assert answer.status_code == 409
    return answer.content.decode()


def approve(request: ApprovalRequest, by: User, *, held: bool = False) -> None:
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=by, channel=Channel.BROWSER, held=held
    )


def told(words: str) -> tuple[str, str, str]:
    match = TOLD.search(words)
    assert match, words
    return match[1], match[2], match[3]


def test_who_comes_second_is_told_the_time_on_their_own_clock(anna: User) -> None:
    ben, carl = make_user("ben"), make_user("carl")
    request = make_request(anna, ben, carl)
    approve(request, ben)
    assert told(decide(signed_in(anna), request))[1] == "JST"
    assert told(decide(signed_in(carl), request))[1] == "UTC"


def test_when_a_held_decision_is_sent_is_told_on_their_own_clock(anna: User) -> None:
    ben = make_user("ben")
    make_kind(undo_seconds=10)
    request = make_request(anna, ben, timeout_seconds=3600)
    approve(request, ben, held=True)
    request.refresh_from_db()
    assert request.held_until
    words = decide(signed_in(anna), request)
    hour = (request.held_until.hour + 9) % 24
    assert f"it is sent at {hour:02d}:{request.held_until:%M:%S} unless" in words


def test_a_second_vote_of_ones_own_is_told_on_ones_own_clock(anna: User) -> None:
    request = make_request(anna, make_user("ben"), required_approvals=2)
    approve(request, anna)
    words = decide(signed_in(anna), request)
    assert "You approved this at" in words
    assert told(words)[1] == "JST"


def test_a_program_is_told_utc_whoevers_token_it_has(anna: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    ben = make_user("ben")
    request = make_request(anna, ben)
    approve(request, ben)
    answer = Caller(anna).decide(request, {"verdict": "approved"})
    assert answer.status_code == 409
    assert told(answer.json()["detail"])[1] == "UTC"
