"""Claim, release, expire, withdraw: each once, each only while the request is open."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import AlreadyClosed, NotAReviewer
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Heartbeat, User
from approvals.states import Channel, OnReject, OnTimeout, RequestState, Verdict, Withdrawal
from tests.factories import make_request, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def overdue(*reviewers: User, **fields: Any) -> ApprovalRequest:
    """A request that is past its answer_by and not yet past AWS's own expiry."""
    return past_its_deadline(make_request(*reviewers, timeout_seconds=60, **fields))


def test_a_claim_is_shown_and_ends_by_itself(anna: User) -> None:
    request = make_request(anna)

    lifecycle.claim(request.pk, reviewer=anna)

    request.refresh_from_db()
    assert request.claimed_by == anna
    assert request.claimed_until is not None
    assert request.claimed_until <= database_now() + settings.CLAIM_LASTS
    assert request.claimant(request.claimed_until - timedelta(microseconds=1)) == anna
    assert request.claimant(request.claimed_until) is None


def test_a_claim_blocks_nobody(anna: User) -> None:
    bert = make_user("bert")
    request = make_request(anna, bert)
    lifecycle.claim(request.pk, reviewer=anna)

    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER)

    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert request.claimed_by is None


def test_only_who_may_decide_may_claim(anna: User) -> None:
    request = make_request(anna)

    with pytest.raises(NotAReviewer):
        lifecycle.claim(request.pk, reviewer=make_user("bert"))


def test_a_claim_is_released_by_its_owner_only(anna: User) -> None:
    bert = make_user("bert")
    request = make_request(anna, bert)
    lifecycle.claim(request.pk, reviewer=anna)

    lifecycle.release(request.pk, reviewer=bert)
    request.refresh_from_db()
    assert request.claimed_by == anna

    lifecycle.release(request.pk, reviewer=anna)
    request.refresh_from_db()
    assert request.claimed_by is None
    assert [event.tag for event in request.history.all()] == [
        "request.received",
        "request.claimed",
        "request.released",
    ]


@pytest.mark.parametrize(
    ("rule", "fields", "verb", "word"),
    [
        (OnTimeout.FAIL, {}, "fail", "expired"),
        (OnTimeout.REJECT, {}, "fail", "rejected"),
        (OnTimeout.REJECT, {"on_reject": OnReject.SUCCESS}, "succeed", "rejected"),
        (OnTimeout.APPROVE, {}, "succeed", "approved"),
    ],
)
def test_a_passed_deadline_does_what_the_sender_chose(
    anna: User, rule: OnTimeout, fields: dict[str, Any], verb: str, word: str
) -> None:
    request = overdue(anna, on_timeout=rule, **fields)

    assert lifecycle.strike_due(now=database_now()) == 1

    request.refresh_from_db()
    assert request.state == RequestState.EXPIRED
    assert request.delivery.verb == verb
    sent = json.loads(request.delivery.body)
    document = json.loads(sent["ErrorData"]) if verb == "fail" else sent
    decision = Decision.objects.get()
    assert (document["outcome"], document["cause"]) == (word, "clock")
    assert document["decided_by"] == []
    assert document["decision_id"] == str(decision.public_id)


def test_a_lapsing_request_leaves_the_word_to_aws(anna: User) -> None:
    request = overdue(anna, on_timeout=OnTimeout.LAPSE, heartbeat_timeout_seconds=30)

    lifecycle.strike_due(now=database_now())

    request.refresh_from_db()
    assert request.state == RequestState.EXPIRED
    assert not CallbackDelivery.objects.exists()
    assert not Heartbeat.objects.exists()


def test_an_expiry_never_looks_like_an_approval_unless_the_sender_said_so(anna: User) -> None:
    request = overdue(anna)

    lifecycle.strike_due(now=database_now())

    assert CallbackDelivery.objects.get(request=request).verb == "fail"
    assert Decision.objects.get().verdict == Verdict.REJECTED


def test_a_deadline_does_nothing_before_its_time_or_twice(anna: User) -> None:
    request = make_request(anna, timeout_seconds=600)
    assert request.answer_by is not None

    assert lifecycle.strike_due(now=request.answer_by - timedelta(microseconds=1)) == 0
    assert lifecycle.strike(request.pk, now=request.answer_by) is True
    assert lifecycle.strike(request.pk, now=request.answer_by) is False


def test_an_answer_that_came_first_beats_the_deadline(anna: User) -> None:
    request = make_request(anna, timeout_seconds=600)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)

    assert lifecycle.strike(request.pk, now=database_now() + timedelta(hours=1)) is False
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED


def test_a_click_and_the_deadline_at_once_leave_one_ending(anna: User) -> None:
    request = make_request(anna, timeout_seconds=600)
    assert request.answer_by is not None
    deadline = request.answer_by

    def click() -> str:
        try:
            lifecycle.decide(
                request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER
            )
            return "approved"
        except AlreadyClosed:
            return "late"
        finally:
            connections.close_all()

    def tick() -> str:
        try:
            return "expired" if lifecycle.strike(request.pk, now=deadline) else "late"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        outcomes = {future.result() for future in (pool.submit(click), pool.submit(tick))}

    request.refresh_from_db()
    assert outcomes == {"late", request.state}
    assert CallbackDelivery.objects.count() == Decision.objects.count() == 1


@pytest.mark.parametrize(
    ("why", "error_type", "word"),
    [
        (Withdrawal.SOURCE, "ApprovalWithdrawn", "withdrawn"),
        (Withdrawal.SUPERSEDED, "ApprovalSuperseded", "superseded"),
    ],
)
def test_what_the_source_takes_back_fails_at_aws(
    anna: User, why: Withdrawal, error_type: str, word: str
) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30)

    assert lifecycle.withdraw(request.pk, why=why, reason="The order was cancelled.")

    request.refresh_from_db()
    error = json.loads(request.delivery.body)
    assert request.state == RequestState.WITHDRAWN
    assert error["ErrorType"] == error_type
    assert error["ErrorMessage"] == "The order was cancelled."
    assert json.loads(error["ErrorData"])["outcome"] == word


@pytest.mark.parametrize("why", [Withdrawal.CLOSED_AT_AWS, Withdrawal.EXECUTION_ENDED])
def test_nothing_is_owed_to_an_execution_that_waits_no_longer(anna: User, why: Withdrawal) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30)

    lifecycle.withdraw(request.pk, why=why, reason="It ended.")

    assert not CallbackDelivery.objects.exists()
    assert not Heartbeat.objects.exists()
    with pytest.raises(AlreadyClosed):
        lifecycle.decide(
            request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER
        )


def test_a_decided_request_cannot_be_withdrawn(anna: User) -> None:
    request = make_request(anna)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)

    assert lifecycle.withdraw(request.pk, why=Withdrawal.SOURCE, reason="Too late.") is False
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
