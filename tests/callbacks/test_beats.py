"""Beats in batches: whose turn it is, what is read of them, and what is late."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from approvals import turns
from approvals.callbacks import beats, circuit, heartbeats, lanes
from approvals.callbacks.beats import Beat, Told
from approvals.callbacks.buckets import Buckets
from approvals.callbacks.gateway import Address, Answer
from approvals.models import ApprovalRequest, CallbackSource, Heartbeat
from approvals.states import Reply
from tests.callbacks.conftest import tags
from tests.factories import make_request, make_source, make_user
from tests.fakes.gateway import ScriptedGateway

INTERVAL = timedelta(seconds=10)
AWAY = Answer(Reply.UNAVAILABLE, "EndpointConnectionError: Away.", unreachable=True)


def wait_for_beats(number: int, source: CallbackSource, due: datetime) -> list[int]:
    """NUMBER requests of SOURCE whose beats were due one second after the other from DUE."""
    requests = [
        make_request(make_user(), source=source, heartbeat_timeout_seconds=30).pk
        for _ in range(number)
    ]
    for place, request in enumerate(requests):
        next_beat_at = due + timedelta(seconds=place)
        Heartbeat.objects.filter(request=request).update(next_beat_at=next_beat_at)
    return requests


@pytest.mark.django_db
class TestTurns:
    def test_a_source_with_many_due_does_not_starve_one_with_few(self, now: datetime) -> None:
        large, small = make_source(), make_source()
        wait_for_beats(20, large, now - timedelta(hours=2))
        few = wait_for_beats(2, small, now - timedelta(minutes=1))

        claimed = beats.claim(6, now=now)

        assert Counter(beat.source_id for beat in claimed) == {large.pk: 4, small.pk: 2}
        assert {beat.request_id for beat in claimed} >= set(few)

    def test_within_a_source_who_was_due_first_goes_first(self, now: datetime) -> None:
        requests = wait_for_beats(5, make_source(), now - timedelta(hours=1))

        claimed = beats.claim(3, now=now)

        assert sorted(beat.request_id for beat in claimed) == sorted(requests[:3])

    def test_no_source_gets_more_than_its_quota(self, now: datetime) -> None:
        told, untold = make_source(), make_source()
        for source in (told, untold):
            wait_for_beats(5, source, now - timedelta(hours=1))

        claimed = beats.claim(9, now=now, quotas={told.pk: 3}, others=2)

        assert Counter(beat.source_id for beat in claimed) == {told.pk: 3, untold.pk: 2}

    def test_what_one_source_may_not_have_another_gets(self, now: datetime) -> None:
        cut_off, other = make_source(), make_source()
        for source in (cut_off, other):
            wait_for_beats(5, source, now - timedelta(hours=1))

        claimed = beats.claim(4, now=now, quotas={cut_off.pk: 0})

        assert Counter(beat.source_id for beat in claimed) == {other.pk: 4}


@pytest.mark.django_db
class TestBatches:
    def test_claiming_and_settling_take_a_statement_each(
        self, now: datetime, django_assert_num_queries: Any
    ) -> None:
        wait_for_beats(5, make_source(), now - timedelta(hours=1))

        with django_assert_num_queries(1):
            claimed = beats.claim(5, now=now)
        with django_assert_num_queries(1):
            beats.settle([(beat, Answer(Reply.ACCEPTED)) for beat in claimed], now=now)

        assert len(claimed) == 5
        assert set(Heartbeat.objects.values_list("beats", "last_beat_at")) == {(1, now)}

    def test_a_beat_knows_its_callback_and_the_way_of_its_source(self, now: datetime) -> None:
        source = make_source(
            endpoint_url="https://lambda.example.com",
            role_arn="arn:aws:iam::123456789012:role/x",
            external_id="ours",
        )
        (pk,) = wait_for_beats(1, source, now - timedelta(hours=1))
        gateway = ScriptedGateway()

        beats.send(gateway, *beats.claim(1, now=now))

        assert gateway.calls == [("beat", ApprovalRequest.objects.get(pk=pk).callback_id)]
        assert gateway.addresses == [Address.of(source)]

    def test_a_source_without_a_role_speaks_with_the_portal_s_own_rights(
        self, now: datetime
    ) -> None:
        source = make_source()
        wait_for_beats(1, source, now - timedelta(hours=1))

        (beat,) = beats.claim(1, now=now)

        assert (beat.address, beat.address.role_arn) == (Address.of(source), None)

    def test_what_is_given_back_is_due_since_when_it_was(self, now: datetime) -> None:
        requests = wait_for_beats(3, make_source(), now - timedelta(hours=1))
        former = dict(Heartbeat.objects.values_list("pk", "next_beat_at"))
        claimed = beats.claim(3, now=now)

        beats.give_back([beat for beat in claimed if beat.request_id != requests[0]])

        assert {pk for pk, at in _dues().items() if at == former[pk]} == set(requests[1:])
        assert _dues()[requests[0]] > now


def _dues() -> dict[int, datetime]:
    return dict(Heartbeat.objects.values_list("pk", "next_beat_at"))


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    @pytest.fixture
    def at_the_first(self, now: datetime) -> Iterator[list[int]]:
        """Three requests whose beats are due; somebody else holds the row of the first."""
        requests = wait_for_beats(3, make_source(), now - timedelta(hours=1))
        held, enough = Event(), Event()

        def hold() -> None:
            with transaction.atomic():
                Heartbeat.objects.select_for_update().get(pk=requests[0])
                held.set()
                enough.wait(30)
            connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(hold)
            assert held.wait(10)
            yield requests
            enough.set()
            other.result()

    def test_what_another_worker_is_at_is_passed_over(
        self, at_the_first: list[int], now: datetime
    ) -> None:
        claimed = beats.claim(2, now=now)

        assert sorted(beat.request_id for beat in claimed) == at_the_first[1:]

    def test_nobody_waits_for_a_row_to_settle_or_give_back(
        self, at_the_first: list[int], now: datetime
    ) -> None:
        address = Address(1, "eu-north-1")
        all_three = [
            Beat(request, 1, INTERVAL, now, now, "", b"", address) for request in at_the_first
        ]

        beats.settle([(beat, Answer(Reply.ACCEPTED)) for beat in all_three], now=now)
        beats.give_back(all_three)

        taken = Heartbeat.objects.filter(beats=1, next_beat_at=now).values_list("pk", flat=True)
        assert sorted(taken) == at_the_first[1:]

    def test_a_request_that_is_held_costs_no_other_beat_its_note(self, now: datetime) -> None:
        first, second = wait_for_beats(2, make_source(), now - timedelta(hours=1))
        claimed = sorted(beats.claim(2, now=now), key=lambda beat: beat.request_id)
        held, enough = Event(), Event()

        def hold() -> None:
            with transaction.atomic():
                ApprovalRequest.objects.select_for_update().get(pk=first)
                held.set()
                enough.wait(30)
            connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(hold)
            assert held.wait(10)
            left = beats.settle([(beat, AWAY) for beat in claimed], now=now)
            enough.set()
            other.result()

        assert left == {first}
        assert list(Heartbeat.objects.filter(misses=1).values_list("pk", flat=True)) == [second]

    def test_a_claim_is_for_good_and_stands_in_no_other_transaction(self, now: datetime) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError):
            beats.claim(1, now=now)


class TestLateness:
    def test_it_counts_from_when_the_beat_was_due_to_when_it_is_sent(self, now: datetime) -> None:
        claimed_at = time.monotonic()
        beat = _beat_due(now - timedelta(seconds=3), now, claimed_at)

        assert beat.lateness(claimed_at + 2) == timedelta(seconds=5)

    @pytest.mark.parametrize(("seconds", "late"), [(0, False), (5, False), (5.1, True)])
    def test_a_beat_is_late_beyond_half_of_its_interval(self, seconds: float, late: bool) -> None:
        told = Told(Answer(Reply.ACCEPTED), timedelta(seconds=seconds))

        assert told.is_late(INTERVAL) is late


def _beat_due(due: datetime, now: datetime, claimed: float) -> Beat:
    return Beat(1, 1, INTERVAL, due, now, "", b"", Address(1, "eu-north-1"), claimed)


@pytest.mark.django_db(transaction=True)
class TestSweeping:
    @pytest.fixture(autouse=True)
    def fresh(self, monkeypatch: pytest.MonkeyPatch) -> Buckets:
        return _with_rate(monkeypatch, 1000.0)

    def test_what_has_waited_for_too_long_is_not_sent_but_due_again(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its request may have been answered since: no heart beats after that."""
        due = now - timedelta(seconds=1)
        [pk] = wait_for_beats(1, make_source(), due)
        [beat] = beats.claim(1, now=now)
        gateway = ScriptedGateway()
        monkeypatch.setattr(beats, "STALE_AFTER", timedelta(seconds=-1))  # frozen meanwhile
        told = beats.send(gateway, beat)
        assert told.is_unsent
        assert gateway.calls == []

        sweep = heartbeats._Sweep(gateway, turns.Stuck(), 1)
        sweep._settle([(beat, told)])

        assert Heartbeat.objects.get().next_beat_at == due
        assert not sweep._tally
        assert tags(ApprovalRequest.objects.get(pk=pk)) == ["request.received"]

    def test_what_comes_too_late_is_told_from_what_comes_in_time(self, now: datetime) -> None:
        source = make_source()
        wait_for_beats(2, source, now - timedelta(hours=1))
        wait_for_beats(3, source, now - timedelta(seconds=2))

        tally = heartbeats.beat_due(ScriptedGateway())

        assert tally == Counter(accepted=5, late=2, on_time=3)

    def test_what_the_database_did_not_take_down_is_noted_a_little_later(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wait_for_beats(3, make_source(), now - timedelta(seconds=2))
        monkeypatch.setattr(lanes, "TRY_AGAIN", timedelta(0))
        settle, failures = beats.settle, [OperationalError("restarted")]

        def fail_once(landed: Any, *, now: datetime) -> set[int]:
            if failures:
                raise failures.pop()
            return settle(landed, now=now)

        monkeypatch.setattr(beats, "settle", fail_once)

        assert heartbeats.beat_due(ScriptedGateway()) == Counter(accepted=3, on_time=3)
        assert set(Heartbeat.objects.values_list("beats", flat=True)) == {1}

    def test_no_more_is_sent_than_the_rate_allows(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _with_rate(monkeypatch, 0.001)
        wait_for_beats(5, make_source(), now - timedelta(minutes=1))

        assert heartbeats.beat_due(ScriptedGateway())["accepted"] == 1

    def test_one_source_at_its_rate_leaves_another_alone(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sources = _with_rate(monkeypatch, 0.001)
        spent, other = make_source(), make_source()
        sources.take(spent.pk, spent.region, 1, time.monotonic())
        for source in (spent, other):
            wait_for_beats(1, source, now - timedelta(minutes=1))
        gateway = ScriptedGateway()

        heartbeats.beat_due(gateway)

        assert [address.source_id for address in gateway.addresses] == [other.pk]

    @pytest.mark.parametrize(
        ("answer", "slower"),
        [
            (Answer(Reply.UNAVAILABLE, "TooManyRequestsException"), True),
            (Answer(Reply.UNAVAILABLE, "x", retry_after=timedelta(seconds=9)), True),
            (Answer(Reply.UNAVAILABLE, "ServiceException", applied_unknown=True), False),
            (Answer(Reply.UNAVAILABLE, "AccessDenied", needs_mending=True), False),
            (Answer(Reply.REFUSED, "InvalidParameterValueException"), False),
        ],
        ids=["429", "asked to wait", "an error of AWS", "denied", "refused"],
    )
    def test_a_source_slows_down_when_aws_asks_and_only_then(
        self, now: datetime, fresh: Buckets, answer: Answer, slower: bool
    ) -> None:
        source = make_source()
        wait_for_beats(1, source, now - timedelta(seconds=1))

        heartbeats.beat_due(ScriptedGateway(answer), budget=timedelta(milliseconds=50))

        assert (fresh.free(time.monotonic())[source.pk] < fresh.first / 2) is slower

    def test_a_source_cut_off_is_left_alone_but_for_its_probe(self, now: datetime) -> None:
        cut_off, other = make_source(), make_source()
        for _ in range(circuit.FAILURES_TO_OPEN):
            circuit.heard(cut_off.pk, AWAY, now=now)
        wait_for_beats(3, cut_off, now - timedelta(minutes=1))
        wait_for_beats(2, other, now - timedelta(minutes=1))
        gateway = ScriptedGateway()

        heartbeats.beat_due(gateway)
        assert Counter(address.source_id for address in gateway.addresses) == {other.pk: 2}

        circuit.Circuit.objects.update(probe_at=now)
        heartbeats.beat_due(gateway)
        assert {address.source_id for address in gateway.addresses[2:]} == {cut_off.pk}
        assert circuit.broken(now) == []

    def test_trouble_of_a_source_s_way_opens_its_circuit(self, now: datetime) -> None:
        source = make_source()
        wait_for_beats(circuit.FAILURES_TO_OPEN + 3, source, now - timedelta(minutes=1))

        heartbeats.beat_due(ScriptedGateway(AWAY), budget=timedelta(milliseconds=50))

        assert circuit.broken(now) == [source.pk]


def _with_rate(monkeypatch: pytest.MonkeyPatch, rate: float) -> Buckets:
    sources = Buckets(rate)
    monkeypatch.setattr(heartbeats, "buckets", lambda: sources)
    return sources
