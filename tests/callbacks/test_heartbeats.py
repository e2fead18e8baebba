"""Still waiting: who beats, who stops, and what a silence leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event, current_thread, main_thread
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections

from approvals import turns
from approvals.callbacks import beats, heartbeats, lanes, missed, outbox, replies
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.gateway import Answer
from approvals.callbacks.heartbeats import beat_due
from approvals.clock import database_now
from approvals.keyring import SealBroken
from approvals.lifecycle.checks import CLOSED_AT_AWS
from approvals.models import ApprovalRequest, AuditEvent, CallbackSource, Heartbeat
from approvals.states import Reply, RequestState, Withdrawal
from tests.callbacks.conftest import decided, tags
from tests.factories import make_request, make_source, make_user
from tests.fakes import lambda_api
from tests.fakes.gateway import HangingGateway, ScriptedGateway
from tests.fakes.lambda_api import Fault, LambdaApi

UNAVAILABLE = Answer(Reply.UNAVAILABLE, "EndpointConnectionError: AWS could not be reached.")
NOT_FOUND = replies.meaning("ResourceNotFoundException", 404)
Sweeps = Callable[..., Future[Counter[str]]]
TIMEOUT = 30  # seconds; beats are due every 10


def waiting(**fields: Any) -> ApprovalRequest:
    return make_request(make_user(), heartbeat_timeout_seconds=TIMEOUT, **fields)


def on_time(number: int) -> Counter[str]:
    """What a sweep tells of NUMBER beats that AWS took, each sent in time."""
    return Counter(accepted=number, on_time=number)


def fill(source: CallbackSource) -> None:
    """As many beats due as a source has lanes."""
    for _ in range(heartbeats.PER_SOURCE):
        waiting(source=source)


def after_first(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, matters: Callable[..., Any]
) -> Event:
    """An event that is set once OWNER's NAME has returned from a call that MATTERS."""
    original, happened = getattr(owner, name), Event()

    def wrapped(*args: Any) -> Any:
        result = original(*args)
        if matters(*args):
            happened.set()
        return result

    monkeypatch.setattr(owner, name, wrapped)
    return happened


def told(request: ApprovalRequest, reply: Reply | Answer, now: datetime) -> None:
    """Claim the request's beat, due or not, and settle it with REPLY."""
    Heartbeat.objects.filter(request=request).update(next_beat_at=now)
    (row,) = beats.claim(1, now=now)
    answer = reply if isinstance(reply, Answer) else Answer(reply, "Scripted.")
    beats.settle([(row, answer)], now=now)


@pytest.mark.django_db
class TestClaiming:
    def test_the_first_beat_is_due_at_receipt(self) -> None:
        request = waiting()

        assert [beat.request_id for beat in beats.claim(9, now=request.received_at)] == [request.pk]

    def test_a_claim_moves_the_next_beat_a_third_of_the_timeout_ahead(self) -> None:
        request = waiting()
        now = request.received_at

        beats.claim(9, now=now)

        ahead = Heartbeat.objects.get(request=request).next_beat_at - now
        assert timedelta(seconds=9) <= ahead <= timedelta(seconds=10)

    def test_a_claimed_beat_is_nobody_else_s(self) -> None:
        now = waiting().received_at
        beats.claim(9, now=now)

        assert beats.claim(9, now=now) == []

    def test_beats_that_began_together_spread_out(self) -> None:
        now = [waiting() for _ in range(6)][-1].received_at
        beats.claim(9, now=now)

        assert Heartbeat.objects.values("next_beat_at").distinct().count() > 1

    def test_no_more_are_claimed_than_there_is_room_for(self) -> None:
        now = [waiting() for _ in range(3)][-1].received_at

        assert len(beats.claim(2, now=now)) == 2
        assert len(beats.claim(2, now=now)) == 1

    def test_crowded_sources_are_passed_over(self) -> None:
        request = waiting()

        assert beats.claim(9, now=request.received_at, quotas={request.source_id: 0}) == []


@pytest.mark.django_db
class TestSettling:
    def test_a_beat_that_aws_took_is_noted_and_ends_a_streak_of_misses(self) -> None:
        request = waiting()
        now = request.received_at
        told(request, UNAVAILABLE, now)
        told(request, Reply.ACCEPTED, now)

        row = Heartbeat.objects.get()
        assert (row.last_beat_at, row.beats, row.misses, row.trouble) == (now, 1, 0, "")

    def test_closed_while_pending_withdraws_the_request_and_says_why(self) -> None:
        request = waiting()

        told(request, Reply.CLOSED, request.received_at)

        request.refresh_from_db()
        assert request.state == RequestState.WITHDRAWN
        assert request.withdrawal == Withdrawal.CLOSED_AT_AWS
        assert request.closed_because == CLOSED_AT_AWS
        assert not Heartbeat.objects.exists()
        assert tags(request)[-1] == "request.withdrawn"

    def test_closed_after_a_decision_only_stops_the_beats(self) -> None:
        request = decided(heartbeat_timeout_seconds=TIMEOUT)
        history = tags(request)

        told(request, Reply.CLOSED, request.received_at)

        request.refresh_from_db()
        assert request.state == RequestState.APPROVED
        assert request.delivery.is_pending
        assert not Heartbeat.objects.exists()
        assert tags(request) == history

    def test_a_miss_is_repeated_sooner_than_the_interval(self) -> None:
        request = waiting()
        told(request, UNAVAILABLE, request.received_at)

        row = Heartbeat.objects.get()
        assert row.next_beat_at == request.received_at + timedelta(seconds=2.5)
        assert (row.misses, row.trouble) == (1, UNAVAILABLE.detail)

    def test_a_long_outage_is_asked_at_the_usual_interval(self) -> None:
        request = waiting()
        for _ in range(7):
            told(request, UNAVAILABLE, request.received_at)

        assert Heartbeat.objects.get().next_beat_at == request.received_at + timedelta(seconds=10)

    @pytest.mark.parametrize(("asked", "waits"), [(4, 4), (300, 10)])
    def test_aws_s_wish_to_wait_is_heard_within_the_interval(self, asked: int, waits: int) -> None:
        request = waiting()
        throttled = Answer(Reply.UNAVAILABLE, retry_after=timedelta(seconds=asked))
        told(request, throttled, request.received_at)

        next_beat_at = Heartbeat.objects.get().next_beat_at
        assert next_beat_at == request.received_at + timedelta(seconds=waits)

    def test_a_streak_of_misses_is_one_line_of_history(self) -> None:
        request = waiting()
        streaks = [UNAVAILABLE, UNAVAILABLE, Answer(Reply.ACCEPTED), UNAVAILABLE, UNAVAILABLE]
        for reply in streaks:
            told(request, reply, request.received_at)

        assert tags(request).count("heartbeat.lost") == 2

    def test_a_refused_beat_goes_on_and_is_shown(self) -> None:
        request = waiting()
        told(request, Reply.REFUSED, request.received_at)

        row = Heartbeat.objects.get()
        assert row.trouble == "Scripted."
        assert row.next_beat_at >= request.received_at + timedelta(seconds=9)
        request.refresh_from_db()
        assert request.is_pending

    @pytest.mark.parametrize("reply", [Reply.ACCEPTED, Reply.UNAVAILABLE, Reply.CLOSED])
    def test_a_beat_that_was_stopped_meanwhile_stays_stopped(self, reply: Reply) -> None:
        request = decided(heartbeat_timeout_seconds=TIMEOUT)
        now = request.delivery.owed_at
        (row,) = beats.claim(1, now=now)
        claimed = outbox.claim_next(now=now)
        assert claimed is not None
        outbox.settle(claimed, Answer(Reply.ACCEPTED), now=now)

        beats.settle([(row, Answer(reply))], now=now)

        assert not Heartbeat.objects.exists()
        assert AuditEvent.objects.filter(tag="heartbeat.lost").count() == 0

    def test_a_decided_request_beats_until_its_answer_is_settled(self) -> None:
        request = decided(heartbeat_timeout_seconds=TIMEOUT)

        assert len(beats.claim(9, now=request.delivery.owed_at)) == 1


@pytest.mark.django_db
class TestNotFound:
    """A callback AWS does not know: asked in the wrong region, or too soon."""

    def test_the_first_time_is_a_miss_and_says_where_to_look(self) -> None:
        request = waiting()

        told(request, NOT_FOUND, request.received_at)

        row = Heartbeat.objects.get()
        assert (row.misses, row.trouble) == (1, NOT_FOUND.detail)
        assert row.next_beat_at == request.received_at + timedelta(seconds=2.5)
        request.refresh_from_db()
        assert request.is_pending
        assert tags(request)[-1] == "heartbeat.lost"

    @pytest.mark.parametrize(("after", "waits"), [(TIMEOUT, True), (TIMEOUT + 1, False)])
    def test_it_withdraws_once_repeated_beyond_the_heartbeat_timeout(
        self, after: int, waits: bool
    ) -> None:
        request = waiting()
        told(request, NOT_FOUND, request.received_at)

        told(request, NOT_FOUND, request.received_at + timedelta(seconds=after))

        request.refresh_from_db()
        assert request.is_pending is waits
        assert Heartbeat.objects.exists() is waits
        assert tags(request).count("heartbeat.lost") == 1
        reason = "" if waits else missed.NOT_FOUND_AT_AWS
        assert request.closed_because == reason

    def test_patience_begins_anew_with_each_beat_that_aws_took(self) -> None:
        request = waiting()
        later = request.received_at + timedelta(hours=1)
        told(request, Reply.ACCEPTED, later)

        for seconds in (10, TIMEOUT):
            told(request, NOT_FOUND, later + timedelta(seconds=seconds))

        request.refresh_from_db()
        assert request.is_pending

    def test_once_is_never_enough_however_long_nobody_beat(self) -> None:
        request = waiting()

        told(request, NOT_FOUND, request.received_at + timedelta(hours=1))

        request.refresh_from_db()
        assert request.is_pending

    def test_after_a_decision_it_only_stops_the_beats(self) -> None:
        request = decided(heartbeat_timeout_seconds=TIMEOUT)
        for seconds in (0, TIMEOUT + 1):
            told(request, NOT_FOUND, request.received_at + timedelta(seconds=seconds))

        request.refresh_from_db()
        assert (request.state, request.delivery.is_pending) == (RequestState.APPROVED, True)
        assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestBeating:
    def test_everything_due_is_beaten_once(self) -> None:
        requests = [waiting() for _ in range(5)]
        gateway = ScriptedGateway()

        assert beat_due(gateway) == on_time(5)

        assert sorted(gateway.calls) == sorted(("beat", r.callback_id) for r in requests)
        assert beat_due(gateway) == Counter()

    def test_threads_talk_to_aws_and_hold_no_connection(self) -> None:
        waiting()
        seen: list[tuple[bool, bool]] = []
        gateway = ScriptedGateway()
        gateway.while_sending = lambda verb, name: seen.append(
            (current_thread() is main_thread(), connection.connection is None)
        )

        beat_due(gateway)

        assert seen == [(False, True)]

    def test_two_workers_beat_for_each_once(self) -> None:
        for _ in range(10):
            waiting()
        gateway, start = ScriptedGateway(), Barrier(2)

        def work(_: int) -> Counter[str]:
            try:
                start.wait(10)
                return beat_due(gateway)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            tally = sum(pool.map(work, range(2)), Counter[str]())

        assert tally == on_time(10)
        assert len(set(gateway.calls)) == len(gateway.calls)

    def test_what_was_claimed_and_not_sent_in_time_is_due_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lanes, "GRACE", timedelta(0))
        hanging = make_source()
        for _ in range(heartbeats.PER_SOURCE + 3):
            waiting(source=hanging)
        gateway = HangingGateway(hanging.pk, until_others=1)

        beat_due(gateway, budget=timedelta(milliseconds=500))
        gateway.release()

        assert Heartbeat.objects.filter(next_beat_at__lte=database_now()).count() == 3

    def test_a_missing_field_key_counts_as_a_miss(self) -> None:
        request = waiting()
        with mock.patch("approvals.keyring.unseal", side_effect=SealBroken("No key.")):
            beat_due(ScriptedGateway(), budget=timedelta(milliseconds=100))

        row = Heartbeat.objects.get(request=request)
        assert row.misses >= 1
        assert row.trouble.startswith("SealBroken: ")

    def test_a_gateway_that_raises_counts_as_a_miss(self) -> None:
        waiting()
        gateway = ScriptedGateway()

        def burst(verb: str, name: str) -> None:
            raise ZeroDivisionError

        gateway.while_sending = burst

        beat_due(gateway, budget=timedelta(milliseconds=100))

        assert Heartbeat.objects.get().misses >= 1


@pytest.mark.django_db(transaction=True)
class TestSweepsAtOnce:
    @pytest.fixture(autouse=True)
    def _hangs_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(0))

    @pytest.fixture
    def hanging(self) -> CallbackSource:
        return make_source()

    @pytest.fixture
    def sweeps(self) -> Iterator[Sweeps]:
        """Starts sweeps on threads of their own."""

        def sweep(gateway: ScriptedGateway, threads: int) -> Counter[str]:
            try:
                return beat_due(gateway, threads=threads)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            yield lambda gateway, threads=16: pool.submit(sweep, gateway, threads)

    def test_a_source_that_hangs_takes_no_beat_from_others(
        self, hanging: CallbackSource, sweeps: Sweeps
    ) -> None:
        gateway, most = HangingGateway(hanging.pk, until_others=4), heartbeats.PER_SOURCE
        try:
            for _ in range(most + 3):
                waiting(source=hanging)
            sweep = sweeps(gateway)
            assert gateway.until_hung(most)
            for _ in range(4):
                waiting()

            assert sweep.result() == on_time(most + 3 + 4)

            assert gateway.hung == most
        finally:
            gateway.release()

    def test_beside_two_hanging_sweeps_a_third_returns_and_others_still_beat(
        self, hanging: CallbackSource, sweeps: Sweeps
    ) -> None:
        another, number = make_source(), heartbeats.PER_SOURCE
        gateway = HangingGateway(hanging.pk, another.pk, until_others=4)
        try:
            fill(hanging)
            first = sweeps(gateway, threads=number)
            assert gateway.until_hung(number)
            fill(another)
            second = sweeps(gateway)
            assert gateway.until_hung(2 * number)
            idle = ScriptedGateway()
            for _ in range(4):
                waiting()

            assert beat_due(idle) == Counter()

            assert idle.calls == []
            assert first.result() + second.result() == on_time(2 * number + 4)
            assert gateway.hung == 2 * number
        finally:
            gateway.release()

    def test_what_one_sweep_hangs_on_is_left_alone_by_the_next(
        self, hanging: CallbackSource, sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = HangingGateway(hanging.pk, until_others=99)
        told = after_first(monkeypatch, turns.Stuck, "tell", lambda _, sources: sources)
        try:
            fill(hanging)
            first = sweeps(gateway, threads=heartbeats.PER_SOURCE)
            assert told.wait(10)
            waiting(source=hanging)
            waiting()

            assert beat_due(ScriptedGateway()) == on_time(1)
        finally:
            gateway.release()
        first.result()

    def test_what_waits_behind_hanging_calls_is_left_to_another_sweep(
        self, hanging: CallbackSource, sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = HangingGateway(hanging.pk, until_others=2)
        given = after_first(monkeypatch, beats, "give_back", lambda rows: rows)
        put = after_first(
            monkeypatch,
            lanes.Lanes,
            "put",
            lambda _, rows: {row.source_id for row in rows} - {hanging.pk},
        )
        monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(minutes=1))
        try:
            fill(hanging)
            first = sweeps(gateway, threads=heartbeats.PER_SOURCE)
            assert gateway.until_hung(heartbeats.PER_SOURCE)
            waiting()
            waiting()
            assert put.wait(10)
            monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(0))
            assert given.wait(10)

            assert beat_due(gateway) == on_time(2)

            assert first.result() == on_time(heartbeats.PER_SOURCE)
        finally:
            gateway.release()

    def test_the_places_are_free_again_when_the_sweeps_are_done(self, sweeps: Sweeps) -> None:
        for _ in range(3):
            waiting()
            assert sweeps(ScriptedGateway()).result() == on_time(1)


@pytest.mark.django_db(transaction=True)
class TestOnTheWire:
    @pytest.fixture
    def api(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaApi]:
        with LambdaApi() as api:
            monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)
            yield api

    def test_a_callback_answered_elsewhere_takes_its_request_with_it(self, api: LambdaApi) -> None:
        request = waiting()
        api.closed[request.callback_id] = ("succeed", b"{}")

        assert beat_due(LambdaGateway()) == Counter(closed=1, on_time=1)

        request.refresh_from_db()
        assert request.state == RequestState.WITHDRAWN

    @pytest.mark.parametrize(
        ("fault", "reply"),
        [
            (lambda_api.NO_SUCH_PAGE, "unavailable"),
            (lambda_api.error("ResourceNotFoundException", 404), "closed"),
            (lambda_api.runner("…: Durable Execution does not exist"), "closed"),
        ],
        ids=["a stranger's 404", "not found", "not found by the runner"],
    )
    def test_one_404_on_the_wire_keeps_the_request_waiting(
        self, api: LambdaApi, fault: Fault, reply: str
    ) -> None:
        request = waiting()
        api.script.append(fault)

        assert beat_due(LambdaGateway()) == Counter({reply: 1, "on_time": 1})

        request.refresh_from_db()
        assert request.is_pending
        assert Heartbeat.objects.get().misses == 1
