"""Clocks strike once each, at their time, and never on what was answered first."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection, connections, transaction

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle import clocks, desk
from approvals.models import ApprovalRequest, AuditEvent, Decision, User
from approvals.states import AuditTag, Channel, OnTimeout, RequestState, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

CLOCKS = [AuditTag.DUE, AuditTag.ESCALATED, AuditTag.EXPIRED]


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def ticking(anna: User, **fields: Any) -> ApprovalRequest:
    """Due after 100 s, for others after 200 s, and its deadline after 940 s."""
    clocks_of = {"due_in_seconds": 100, "escalate_in_seconds": 200, "timeout_seconds": 1000}
    return make_request(anna, **(clocks_of | fields))


def struck(request: ApprovalRequest) -> list[str]:
    lines = request.history.filter(tag__in=CLOCKS).order_by("seq")
    return list(lines.values_list("tag", flat=True))


def after(request: ApprovalRequest, seconds: float) -> Any:
    return request.received_at + timedelta(seconds=seconds)


def sweep(request: ApprovalRequest, seconds: float) -> int:
    found = lifecycle.strike_due(now=after(request, seconds))
    request.refresh_from_db()
    return found


def test_each_clock_strikes_at_its_own_time_and_once(anna: User) -> None:
    request = ticking(anna)
    assert request.clock_at == request.due_at

    assert (sweep(request, 99.9), struck(request)) == (0, [])
    assert (sweep(request, 100), struck(request)) == (1, CLOCKS[:1])
    assert (sweep(request, 100), request.clock_at) == (0, request.escalate_at)
    assert (sweep(request, 201), struck(request)) == (1, CLOCKS[:2])
    assert (sweep(request, 201), request.clock_at) == (0, request.answer_by)
    assert (sweep(request, 940), struck(request)) == (1, CLOCKS)
    assert (sweep(request, 5000), struck(request)) == (0, CLOCKS)
    assert request.state == RequestState.EXPIRED


def test_a_soft_clock_changes_nothing_but_history(anna: User) -> None:
    request = ticking(anna)
    before = ApprovalRequest.objects.filter(pk=request.pk).values().get()

    sweep(request, 300)

    later = ApprovalRequest.objects.filter(pk=request.pk).values().get()
    assert later | {"clock_at": None} == before | {"clock_at": None}
    assert not Decision.objects.exists()
    line = request.history.get(tag=AuditTag.DUE)
    assert request.due_at is not None
    assert line.facts == {"clock": request.due_at.isoformat()}


def test_all_that_passed_while_nobody_swept_strikes_in_its_order(anna: User) -> None:
    request = ticking(anna)
    assert (sweep(request, 5000), struck(request)) == (1, CLOCKS)
    assert AuditEvent.objects.broken_at(request) is None


def test_a_soft_clock_set_behind_the_deadline_never_strikes(anna: User) -> None:
    request = ticking(anna, due_in_seconds=None, escalate_in_seconds=990)
    sweep(request, 5000)
    assert struck(request) == [AuditTag.EXPIRED]


def test_a_request_without_a_deadline_is_due_and_waits_on(anna: User) -> None:
    request = make_request(anna, due_in_seconds=100)
    sweep(request, 101)
    assert (struck(request), request.clock_at) == ([AuditTag.DUE], None)
    assert request.is_pending


def test_what_was_answered_first_hears_no_clock(anna: User) -> None:
    request = ticking(anna)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)

    assert sweep(request, 5000) == 0
    assert lifecycle.strike(request.pk, now=after(request, 5000)) is False
    assert struck(request) == []


def test_a_vote_that_leaves_others_to_be_asked_stops_no_clock(anna: User) -> None:
    request = make_request(
        anna, make_user("bert"), required_approvals=2, due_in_seconds=100, timeout_seconds=1000
    )
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    sweep(request, 5000)
    assert struck(request) == [AuditTag.DUE, AuditTag.EXPIRED]
    assert request.delivery.verb == "fail"


def test_a_clock_set_wrongly_loses_nothing_and_doubles_nothing(anna: User) -> None:
    request = ticking(anna)
    ApprovalRequest.objects.filter(pk=request.pk).update(clock_at=after(request, 150))
    assert (sweep(request, 149), struck(request)) == (0, [])
    assert (sweep(request, 150), struck(request)) == (1, CLOCKS[:1])
    ApprovalRequest.objects.filter(pk=request.pk).update(clock_at=after(request, 10))
    assert (sweep(request, 160), struck(request)) == (1, CLOCKS[:1])
    assert request.clock_at == request.escalate_at


def test_the_next_clock_is_the_nearest_ahead_or_the_deadline_however_long_past(anna: User) -> None:
    request = ticking(anna)
    ahead = [clocks.next_clock(request, after(request, each)) for each in (0, 100, 199, 200, 2000)]
    assert ahead == [
        *(request.due_at, request.escalate_at, request.escalate_at),
        *(request.answer_by, request.answer_by),
    ]
    assert clocks.next_clock(ApprovalRequest(), after(request, 0)) is None


def test_sweeps_at_once_let_each_clock_strike_once(anna: User) -> None:
    requests = [ticking(anna) for _ in range(40)]
    moment = after(requests[-1], 5000)

    def one_sweep(_: int) -> int:
        try:
            return lifecycle.strike_due(now=moment)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(one_sweep, range(5)))
    lifecycle.strike_due(now=moment)  # what two passed over because of each other

    assert sum(found) <= 40
    tags = AuditEvent.objects.filter(tag__in=CLOCKS).values_list("request", "tag")
    assert Counter(tags) == {(request.pk, tag): 1 for request in requests for tag in CLOCKS}


def test_the_longest_overdue_is_heard_first(anna: User) -> None:
    requests = [ticking(anna, due_in_seconds=seconds) for seconds in (90, 50, 70)]
    assert lifecycle.strike_due(now=after(requests[0], 200), limit=2) == 2
    assert [struck(each) for each in requests] == [[], [AuditTag.DUE], [AuditTag.DUE]]


def test_a_request_that_somebody_holds_holds_up_no_other(anna: User) -> None:
    held, free = ticking(anna), ticking(anna)
    moment = after(free, 150)

    def elsewhere() -> int:
        try:
            return lifecycle.strike_due(now=moment)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        desk.lock(held.pk)
        assert pool.submit(elsewhere).result(timeout=20) == 1

    assert (struck(held), struck(free)) == ([], [AuditTag.DUE])
    assert lifecycle.strike_due(now=moment) == 1


def test_a_broken_request_holds_up_no_other_and_is_tried_again(anna: User) -> None:
    broken, whole = ticking(anna), ticking(anna)
    record = AuditEvent.objects.record

    def stumble(tag: AuditTag, request: ApprovalRequest, **facts: Any) -> AuditEvent:
        if request == broken:
            raise ValueError("cannot be written")
        return record(tag, request, **facts)

    with mock.patch.object(clocks.AuditEvent.objects, "record", stumble):
        assert sweep(whole, 150) == 1
        assert sweep(whole, 150) == 0
    assert (struck(broken), struck(whole)) == ([], [AuditTag.DUE])

    assert sweep(whole, 150 + clocks.PUT_OFF.total_seconds()) == 1
    assert struck(broken) == [AuditTag.DUE]


def test_a_database_that_fails_ends_the_sweep(anna: User) -> None:
    request = ticking(anna)
    gone = OperationalError("the connection is closed")
    with (
        mock.patch.object(desk, "lock_if_free", side_effect=gone),
        pytest.raises(OperationalError),
    ):
        sweep(request, 150)


def test_what_a_late_sweep_writes_bears_the_time_it_was_written(anna: User) -> None:
    request = ticking(anna)
    past = database_now() - timedelta(hours=1)
    moments = {"due_at": past, "answer_by": past, "clock_at": past}
    ApprovalRequest.objects.filter(pk=request.pk).update(**moments)
    written_after = database_now()

    lifecycle.strike_due(now=past)

    request.refresh_from_db()
    times = list(request.history.order_by("seq").values_list("at", flat=True))
    assert times == sorted(times)
    assert request.closed_at is not None
    assert request.closed_at >= written_after


def test_the_sweep_walks_its_own_index_past_all_that_is_closed(anna: User) -> None:
    request = ticking(anna)
    _add_closed(request, 4_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE approvals_approvalrequest")

    rows = ApprovalRequest.objects.pending().filter(clock_at__lte=after(request, 5000))
    plan = rows.order_by("clock_at").values_list("pk", "public_id")[:100].explain(analyze=True)

    assert "pending_by_clock" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Sort" not in plan, plan


def _add_closed(request: ApprovalRequest, number: int) -> None:
    """NUMBER requests like REQUEST, expired, their clocks standing where they stood."""
    own = {
        "public_id": "gen_random_uuid()",
        "callback_sha256": "lpad(n::text, 64, '0')",
        "state": "'expired'",
        "closed_at": "now()",
    }
    names = [f.column for f in ApprovalRequest._meta.concrete_fields if f.column != "id"]
    values = [own.get(name, f'r."{name}"') for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO approvals_approvalrequest ({", ".join(f'"{name}"' for name in names)})
            SELECT {", ".join(values)}
              FROM approvals_approvalrequest r, generate_series(1, %s) n WHERE r.id = %s
            """,
            [number, request.pk],
        )


@pytest.mark.parametrize("rule", OnTimeout)
def test_a_lapse_sends_nothing_and_every_other_deadline_one_answer(
    anna: User, rule: OnTimeout
) -> None:
    request = ticking(anna, on_timeout=rule)
    sweep(request, 940)
    assert hasattr(request, "delivery") is (rule is not OnTimeout.LAPSE)
