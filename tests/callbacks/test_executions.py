"""What became of the execution: seen, never guessed, and seldom asked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connections

from approvals.callbacks import executions, outbox
from approvals.callbacks.executions import look_due
from approvals.callbacks.gateway import Answer, Sighting
from approvals.callbacks.rounds import Rounds
from approvals.clock import database_now
from approvals.lifecycle import executions as lifecycle_executions
from approvals.lifecycle.checks import ASK_WITHIN
from approvals.models import ApprovalRequest, Circuit, Execution, Heartbeat
from approvals.models.reconcile import reconcile_paces
from approvals.states import ExecutionStatus, Reply, RequestState, Withdrawal
from tests.callbacks.conftest import decided, tags
from tests.factories import make_request, make_source, make_user
from tests.fakes.gateway import ScriptedGateway

ARN = "3f1d/9c2e"
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
END = START + timedelta(seconds=90)


def seen(status: str) -> Sighting:
    ended = END if status in {"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"} else None
    return Sighting(Answer(Reply.ACCEPTED), status, START, ended)


def waiting(arn: str = ARN, **fields: Any) -> ApprovalRequest:
    return make_request(make_user(), execution_arn=arn, **fields)


def look(sighting: Sighting, now: datetime) -> Execution:
    """Claim the one execution at NOW and settle it with SIGHTING."""
    (claimed,) = executions.claim(now=now)
    executions.settle(claimed, sighting, now=now)
    claimed.refresh_from_db()
    return claimed


@pytest.mark.django_db
class TestClaiming:
    def test_looks_become_rarer_up_to_a_reconcile_interval(self) -> None:
        now = waiting().received_at
        pauses = []
        for _ in range(12):
            (execution,) = executions.claim(now=now)
            assert execution.next_look_at is not None
            pauses.append((execution.next_look_at - now).total_seconds())
            now = execution.next_look_at

        assert [round(pause) for pause in pauses[:3]] == [1, 2, 4]
        assert 40 <= pauses[-1] < 60 - 5  # beat's rhythm comes on top

    def test_where_nobody_is_asked_any_more_a_look_an_hour_is_enough(self) -> None:
        request = decided(execution_arn=ARN)
        Execution.objects.update(looks=40)

        (execution,) = executions.claim(now=request.received_at)

        assert execution.next_look_at is not None
        assert execution.next_look_at - request.received_at > timedelta(minutes=50)

    def test_sources_take_turns_however_much_one_of_them_has_due(self) -> None:
        busy, quiet = make_source(), make_source()
        for number in range(4):
            waiting(f"busy/{number}", source=busy)
        now = waiting("quiet/1", source=quiet).received_at
        Execution.objects.filter(source=busy).update(next_look_at=START)
        rounds = Rounds()

        taken = [executions.claim(now=now, rounds=rounds)[0].source_id for _ in range(2)]

        assert set(taken) == {busy.pk, quiet.pk}

    def test_a_crowd_of_newcomers_keeps_nobody_waiting_for_ever(self) -> None:
        source = make_source()
        waiting("old/1", source=source)
        Execution.objects.update(looks=9, next_look_at=START)
        for number in range(5):
            now = waiting(f"new/{number}", source=source).received_at
        rounds = Rounds()

        taken = [executions.claim(now=now, rounds=rounds)[0].arn for _ in range(2)]

        assert "old/1" in taken

    def test_a_source_that_is_cut_off_is_looked_at_only_as_its_probe(self) -> None:
        request = waiting()
        now = request.received_at
        Circuit.objects.create(
            source=request.source, failures=3, opened_at=now, probe_at=now + timedelta(seconds=9)
        )

        assert executions.claim(now=now) == []
        assert len(executions.claim(now=now + timedelta(seconds=9))) == 1

    def test_a_claimed_look_is_nobody_else_s(self) -> None:
        now = waiting().received_at
        executions.claim(now=now)

        assert executions.claim(now=now) == []

    def test_a_fresh_execution_goes_before_those_looked_at_often(self) -> None:
        source = make_source()
        waiting("old/1", source=source)
        Execution.objects.update(looks=9, next_look_at=START)
        now = waiting("new/1", source=source).received_at

        assert [row.arn for row in executions.claim(now=now)] == ["new/1"]

    def test_crowded_sources_are_passed_over(self) -> None:
        request = waiting()

        assert executions.claim(now=request.received_at, crowded=[request.source_id]) == []

    def test_after_an_answer_the_next_look_is_soon_and_quick(self) -> None:
        request = waiting()
        Execution.objects.update(looks=12, next_look_at=START + timedelta(days=300))

        executions.look_soon(request.pk, now=START)

        execution = Execution.objects.get()
        assert (execution.looks, execution.next_look_at) == (0, START + timedelta(seconds=1))

    def test_an_execution_that_ended_is_never_looked_at_again(self) -> None:
        request = waiting()
        look(seen("STOPPED"), request.received_at)

        executions.look_soon(request.pk, now=START)

        assert Execution.objects.get().next_look_at is None


@pytest.mark.django_db
class TestSettling:
    def test_a_running_execution_is_seen_and_looked_at_again(self) -> None:
        request = waiting()
        now = request.received_at

        execution = look(seen("RUNNING"), now)

        assert execution.status == ExecutionStatus.RUNNING
        assert (execution.started_at, execution.ended_at, execution.seen_at) == (START, None, now)
        assert execution.next_look_at is not None
        assert "execution.seen" not in tags(request)

    @pytest.mark.parametrize("status", ["TIMED_OUT", "STOPPED"])
    def test_an_execution_that_ended_withdraws_its_pending_requests(self, status: str) -> None:
        request = waiting(heartbeat_timeout_seconds=30)

        execution = look(seen(status), request.received_at)

        request.refresh_from_db()
        assert (request.state, request.withdrawal) == (
            RequestState.WITHDRAWN,
            Withdrawal.EXECUTION_ENDED,
        )
        assert status in request.closed_because
        assert (execution.has_ended, execution.ended_at) == (True, END)
        assert tags(request)[-2:] == ["request.withdrawn", "execution.seen"]

    @pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
    def test_one_that_ended_by_itself_takes_them_along_when_its_history_stays_silent(
        self, status: str
    ) -> None:
        request = waiting(heartbeat_timeout_seconds=30)

        execution = look(seen(status), request.received_at)

        request.refresh_from_db()
        assert request.is_pending
        assert not Heartbeat.objects.exists()
        assert execution.next_look_at == request.received_at + ASK_WITHIN
        look(seen(status), execution.next_look_at)
        request.refresh_from_db()
        assert request.withdrawal == Withdrawal.EXECUTION_ENDED
        assert tags(request).count("execution.seen") == 1

    def test_the_end_of_an_execution_leaves_a_decision_standing(self) -> None:
        request = decided(execution_arn=ARN)

        look(seen("SUCCEEDED"), request.delivery.owed_at)

        request.refresh_from_db()
        assert request.state == RequestState.APPROVED
        assert tags(request)[-1] == "execution.seen"

    def test_the_end_of_an_execution_ends_the_beats_of_a_refused_answer(self) -> None:
        request = decided(execution_arn=ARN, heartbeat_timeout_seconds=30)
        claimed = outbox.claim_next(now=request.delivery.owed_at)
        assert claimed is not None
        outbox.settle(claimed, Answer(Reply.REFUSED), now=request.delivery.owed_at)
        assert Heartbeat.objects.exists()

        look(seen("TIMED_OUT"), request.delivery.owed_at)

        assert not Heartbeat.objects.exists()

    def test_the_beats_of_others_go_on(self) -> None:
        request = waiting()
        make_request(make_user(), heartbeat_timeout_seconds=30)

        look(seen("TIMED_OUT"), request.received_at)

        assert Heartbeat.objects.count() == 1

    def test_a_request_that_came_while_the_end_was_written_is_looked_after_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = waiting()
        monkeypatch.setattr(lifecycle_executions, "_locked", lambda execution, **_: [])

        execution = look(seen("STOPPED"), request.received_at)

        assert execution.next_look_at == request.received_at

    def test_every_request_of_an_execution_is_told_of_its_end(self) -> None:
        source = make_source()
        requests = [waiting(source=source), waiting(source=source)]

        look(seen("STOPPED"), requests[1].received_at)

        assert ApprovalRequest.objects.filter(state=RequestState.WITHDRAWN).count() == 2

    def test_a_terminal_status_is_never_left_again(self) -> None:
        request = waiting()
        (early,) = executions.claim(now=request.received_at)
        executions.settle(early, seen("FAILED"), now=request.received_at)

        executions.settle(early, seen("RUNNING"), now=request.received_at)

        assert Execution.objects.get().status == ExecutionStatus.FAILED

    def test_a_word_of_tomorrow_counts_as_open(self) -> None:
        request = waiting()

        execution = look(seen("HIBERNATING_FOR_LONG"), request.received_at)

        request.refresh_from_db()
        assert request.is_pending
        assert not execution.has_ended
        assert execution.next_look_at is not None

    def test_the_same_status_twice_is_one_line_of_history(self) -> None:
        request = waiting()
        look(seen("PAUSED"), request.received_at)
        look(seen("PAUSED"), request.received_at + timedelta(minutes=10))

        assert tags(request).count("execution.seen") == 1

    def test_an_unknown_execution_is_no_reason_to_withdraw(self) -> None:
        request = waiting()
        unknown = Sighting(Answer(Reply.CLOSED, "ResourceNotFoundException: …"))

        execution = look(unknown, request.received_at)

        request.refresh_from_db()
        assert request.is_pending
        assert execution.trouble == "ResourceNotFoundException: …"
        assert execution.next_look_at is not None

    def test_an_execution_aws_does_not_come_to_know_is_given_up(self) -> None:
        request = waiting()
        Execution.objects.update(looks=executions.LOOKS_FOR_UNKNOWN - 1)

        execution = look(Sighting(Answer(Reply.CLOSED, "…")), request.received_at)

        assert execution.next_look_at is None

    def test_an_arn_that_aws_refuses_is_not_asked_for_again(self) -> None:
        request = waiting()

        execution = look(Sighting(Answer(Reply.REFUSED, "…")), request.received_at)

        assert execution.next_look_at is None

    def test_a_missing_permission_is_asked_for_on(self) -> None:
        request = waiting()
        Execution.objects.update(looks=100)
        denied = Sighting(Answer(Reply.UNAVAILABLE, "AccessDeniedException: …", needs_mending=True))

        assert look(denied, request.received_at).next_look_at is not None


@pytest.mark.django_db(transaction=True)
class TestLooking:
    @pytest.fixture(autouse=True)
    def _no_lingering(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executions, "LINGER", timedelta(0))

    def test_every_source_is_looked_after(self) -> None:
        arns = {f"3f1d/{number}" for number in range(3)}
        for arn in arns:
            waiting(arn)
        gateway = ScriptedGateway(seen("SUCCEEDED"))

        assert look_due(gateway) == Counter(SUCCEEDED=3, accepted=3)

        assert {name for _, name in gateway.calls} == arns

    def test_one_source_is_asked_no_more_often_than_its_rate(self, settings: Any) -> None:
        settings.LOOKS_PER_SECOND = 10
        source = make_source()
        for number in range(3):
            waiting(f"3f1d/{number}", source=source)
        began = database_now()

        look_due(ScriptedGateway(seen("STOPPED")))

        assert database_now() - began >= timedelta(seconds=3 / 10)

    def test_operators_can_be_told_how_far_the_interval_stretches(self, settings: Any) -> None:
        settings.LOOKS_PER_SECOND, settings.RECONCILE_INTERVAL = 0.5, timedelta(seconds=5)
        source = make_source("busy")
        for number in range(4):
            now = waiting(f"3f1d/{number}", source=source).received_at
        waiting("9a/1", source=make_source("calm"))

        busy, calm = reconcile_paces(now + timedelta(seconds=60))

        assert (busy.source, busy.open, busy.interval) == ("busy", 4, timedelta(seconds=8))
        assert (busy.is_stretched, calm.is_stretched) == (True, False)
        assert busy.overdue >= timedelta(seconds=60)

    def test_one_worker_looks_at_a_time(self) -> None:
        waiting()
        looking, leave = Event(), Event()
        gateway = ScriptedGateway(seen("SUCCEEDED"))

        def linger(verb: str, name: str) -> None:
            looking.set()
            leave.wait(10)

        gateway.while_sending = linger

        def work() -> None:
            look_due(gateway)
            connections.close_all()

        first = Thread(target=work)
        first.start()
        assert looking.wait(10)
        waiting("another/1")
        try:
            assert look_due(ScriptedGateway()) == Counter()
        finally:
            leave.set()
            first.join()

    def test_the_next_worker_may_look_when_the_first_is_done(self) -> None:
        waiting()
        look_due(ScriptedGateway(seen("RUNNING")))
        waiting("another/1")

        assert look_due(ScriptedGateway(seen("STOPPED")))["STOPPED"] >= 1

    def test_a_request_opened_after_the_end_is_withdrawn_without_asking(self) -> None:
        source = make_source()
        former = waiting(source=source)
        look_due(ScriptedGateway(seen("STOPPED")))
        late = waiting(source=source, heartbeat_timeout_seconds=30)
        Execution.objects.update(next_look_at=late.received_at)
        gateway = ScriptedGateway()

        look_due(gateway)

        late.refresh_from_db()
        assert (late.state, late.withdrawal) == (
            RequestState.WITHDRAWN,
            Withdrawal.EXECUTION_ENDED,
        )
        assert "STOPPED" in late.closed_because
        assert not Heartbeat.objects.exists()
        execution = Execution.objects.get()
        assert (execution.next_look_at, execution.ended_at) == (None, END)
        assert gateway.calls == []
        assert tags(late)[-2:] == ["request.withdrawn", "execution.seen"]
        assert tags(former).count("execution.seen") == 1

    def test_a_gateway_that_raises_stops_nobody(self) -> None:
        request = waiting()
        gateway = ScriptedGateway()

        def burst(verb: str, name: str) -> None:
            raise ZeroDivisionError

        gateway.while_sending = burst

        look_due(gateway)

        request.refresh_from_db()
        assert request.is_pending
        assert Execution.objects.get().trouble.startswith("ZeroDivisionError: ")
