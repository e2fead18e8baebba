"""News of executions: late, twice and out of order, and none the worse for it."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle.checks import ASK_WITHIN
from approvals.lifecycle.executions import Seen, see
from approvals.models import ApprovalRequest, AuditEvent, CallbackCheck, Execution
from approvals.states import (
    CallbackFinding,
    Channel,
    ExecutionStatus,
    RequestState,
    Verdict,
    Withdrawal,
)
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LOCKED_REQUEST = 'FOR NO KEY UPDATE OF "approvals_approvalrequest"'


@pytest.fixture
def asked() -> ApprovalRequest:
    return make_request(make_user(), execution_arn="3f1d/9c2e", heartbeat_timeout_seconds=30)


def told(request: ApprovalRequest) -> int:
    assert AuditEvent.objects.broken_at(request) is None
    return AuditEvent.objects.filter(request=request, tag="execution.seen").count()


def tell(status: str, at: datetime) -> bool:
    return see(Execution.objects.get(), Seen(status, at), now=database_now())


def test_an_end_is_never_taken_back(asked: ApprovalRequest) -> None:
    at = database_now()
    assert tell("STOPPED", at)

    assert not tell("RUNNING", at + SECOND)
    assert not tell("SUCCEEDED", at + SECOND)

    assert Execution.objects.get().status == ExecutionStatus.STOPPED
    assert told(asked) == 1


def test_older_news_changes_nothing(asked: ApprovalRequest) -> None:
    at = database_now() - 10 * SECOND
    assert tell("PAUSED", at)

    assert not tell("RUNNING", at - SECOND)

    execution = Execution.objects.get()
    assert (execution.status, execution.seen_at) == ("PAUSED", at)


def test_an_end_counts_even_if_it_is_told_late(asked: ApprovalRequest) -> None:
    at = database_now()
    tell("RUNNING", at)

    assert tell("STOPPED", at - 60 * SECOND)

    asked.refresh_from_db()
    assert asked.state == RequestState.WITHDRAWN


@pytest.mark.parametrize("order", list(itertools.permutations(["RUNNING", "PAUSED", "STOPPED"])))
def test_in_whatever_order_news_comes_the_end_stands(
    asked: ApprovalRequest, order: tuple[str, ...]
) -> None:
    happened = {"RUNNING": 1, "PAUSED": 2, "STOPPED": 3}
    began = database_now() - 10 * SECOND
    for status in (*order, *order):
        tell(status, began + happened[status] * SECOND)

    asked.refresh_from_db()
    assert Execution.objects.get().status == ExecutionStatus.STOPPED
    assert asked.state == RequestState.WITHDRAWN
    assert told(asked) <= 2  # PAUSED, where it came in time, and the end


def test_the_same_word_twice_is_told_once_though_the_teller_had_read_long_before(
    asked: ApprovalRequest,
) -> None:
    stale = Execution.objects.get()
    at = database_now()

    for seconds in range(3):
        see(stale, Seen("PAUSED", at + seconds * SECOND), now=database_now())

    assert told(asked) == 1


def test_a_clock_ahead_of_ours_does_not_outlast_the_next_look(asked: ApprovalRequest) -> None:
    tell("PAUSED", database_now() + timedelta(hours=1))

    assert tell("RUNNING", database_now())


def test_an_end_told_twice_waits_for_its_history_and_is_told_once(asked: ApprovalRequest) -> None:
    for _ in range(3):
        tell("SUCCEEDED", database_now())

    asked.refresh_from_db()
    check = CallbackCheck.objects.get()
    assert asked.is_pending
    assert (check.finding, told(asked)) == (CallbackFinding.CLOSED, 1)
    assert check.next_attempt_at is not None


def test_a_history_nobody_reads_keeps_a_request_open_for_seconds_only(
    asked: ApprovalRequest,
) -> None:
    tell("FAILED", database_now())

    later = database_now() + ASK_WITHIN
    see(Execution.objects.get(), Seen("FAILED", later), now=later)

    asked.refresh_from_db()
    assert asked.withdrawal == Withdrawal.EXECUTION_ENDED
    assert told(asked) == 1


def test_only_pending_requests_are_locked_and_told_of_what_is_no_end(
    asked: ApprovalRequest,
) -> None:
    person, source = asked.assignments.get().user, asked.source
    closed = [make_request(person, source=source, execution_arn="3f1d/9c2e") for _ in range(3)]
    for request in closed:
        lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=person, channel=Channel.API)

    with CaptureQueriesContext(connection) as asked_for:
        tell("PAUSED", database_now())

    locks = [query for query in asked_for if query["sql"].endswith(LOCKED_REQUEST)]
    assert (len(locks), told(asked)) == (1, 1)
    assert [told(request) for request in closed] == [0, 0, 0]

    tell("STOPPED", database_now() + SECOND)
    assert [told(request) for request in closed] == [1, 1, 1]
