"""One source's broken way: left alone, tried by one call at a time, and nobody else slowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from approvals import keeping, lifecycle
from approvals.callbacks import circuit, outbox
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.delivery import deliver_due
from approvals.callbacks.gateway import CALL_LIMIT, Address, Answer, CallbackFailure
from approvals.callbacks.heartbeats import beat_due
from approvals.callbacks.replies import meaning, sealed_elsewhere
from approvals.clock import database_now
from approvals.models import CallbackDelivery, CallbackSource, Circuit, Heartbeat
from approvals.states import DeliveryState, Reply
from tests.callbacks.conftest import Owe, decided, until_somebody_waits
from tests.factories import make_request, make_source, make_user
from tests.fakes import lambda_api
from tests.fakes.gateway import ScriptedGateway
from tests.fakes.lambda_api import LambdaApi

pytestmark = pytest.mark.django_db

NO_ROLE = Answer(Reply.UNAVAILABLE, "RoleError: …", needs_mending=True, unreachable=True)
TIMED_OUT = Answer(Reply.UNAVAILABLE, "Read…", applied_unknown=True, unreachable=True)
ACCEPTED = Answer(Reply.ACCEPTED)
LATER = circuit.FIRST_PROBE_AFTER * 1.2


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    circuit._troubled.clear()
    yield
    circuit._troubled.clear()


@pytest.fixture
def source(db: None) -> CallbackSource:
    return make_source()


@pytest.fixture
def cut_off(source: CallbackSource, now: datetime) -> CallbackSource:
    """A source whose circuit opened just now."""
    fail(source, now)
    return source


def fail(source: CallbackSource, now: datetime, times: int = circuit.FAILURES_TO_OPEN) -> None:
    for _ in range(times):
        circuit.heard(source.pk, NO_ROLE, now=now)


class TestOpening:
    @pytest.mark.parametrize("answer", [NO_ROLE, TIMED_OUT], ids=["no role", "timed out"])
    def test_failures_in_a_row_cut_a_source_off(
        self, source: CallbackSource, now: datetime, answer: Answer
    ) -> None:
        for _ in range(circuit.FAILURES_TO_OPEN - 1):
            circuit.heard(source.pk, answer, now=now)
        assert circuit.broken(now) == []

        circuit.heard(source.pk, answer, now=now)

        assert circuit.broken(now) == [source.pk]
        assert list(Circuit.objects.open()) == [source.circuit]
        assert source.circuit.detail == answer.detail

    def test_an_answer_in_between_starts_the_count_anew(
        self, source: CallbackSource, now: datetime
    ) -> None:
        fail(source, now, circuit.FAILURES_TO_OPEN - 1)
        circuit.heard(source.pk, ACCEPTED, now=now)
        fail(source, now, circuit.FAILURES_TO_OPEN - 1)

        assert circuit.broken(now) == []

    def test_another_worker_s_answer_counts_once_it_has_looked_at_the_circuits(
        self, source: CallbackSource, now: datetime
    ) -> None:
        fail(source, now, circuit.FAILURES_TO_OPEN - 1)
        circuit._troubled.clear()  # a process that heard of none of it

        circuit.broken(now)
        circuit.heard(source.pk, ACCEPTED, now=now)

        assert source.circuit.failures == 0

    @pytest.mark.parametrize(
        "answer",
        [
            ACCEPTED,
            Answer(Reply.CLOSED),
            Answer(Reply.REFUSED),
            Answer(Reply.UNAVAILABLE, "TooManyRequestsException", retry_after=timedelta(seconds=7)),
            Answer(Reply.UNAVAILABLE, "ServiceException", applied_unknown=True),
            meaning("KMSDisabledException", 502),
            meaning("AccessDeniedException", 403),
        ],
        ids=["accepted", "closed", "refused", "429", "500", "KMS", "denied"],
    )
    def test_what_aws_says_of_one_call_cuts_nobody_off_and_costs_no_statement(
        self, source: CallbackSource, now: datetime, answer: Answer
    ) -> None:
        with CaptureQueriesContext(connection) as asked:
            for _ in range(10):
                circuit.heard(source.pk, answer, now=now)

        assert len(asked) == 0
        assert not Circuit.objects.exists()

    def test_the_log_names_the_source_when_its_circuit_opens_and_closes(
        self, source: CallbackSource, now: datetime
    ) -> None:
        with capture_logs() as lines:
            fail(source, now, circuit.FAILURES_TO_OPEN + 2)
            circuit.heard(source.pk, ACCEPTED, now=now)

        assert [(line["event"], line["source"]) for line in lines] == [
            ("circuit_opened", source.slug),
            ("circuit_closed", source.slug),
        ]


class TestProbing:
    def test_a_probe_has_ended_before_the_next_begins(self) -> None:
        assert circuit.PROBE_PAUSE * 0.9 > CALL_LIMIT

    def test_a_source_is_due_for_a_probe_after_a_pause(
        self, cut_off: CallbackSource, now: datetime
    ) -> None:
        assert circuit.broken(now + circuit.FIRST_PROBE_AFTER * 0.8) == [cut_off.pk]
        assert circuit.ways(now + LATER) == circuit.Ways(shut=[], ajar=[cut_off.pk])

    def test_one_probe_is_made_at_a_time(self, cut_off: CallbackSource, now: datetime) -> None:
        assert not circuit.take_probe(cut_off.pk, now=now)
        assert circuit.take_probe(cut_off.pk, now=now + LATER)
        assert not circuit.take_probe(cut_off.pk, now=now + LATER)
        assert circuit.broken(now + LATER) == [cut_off.pk]

        assert circuit.take_probe(cut_off.pk, now=now + LATER + circuit.PROBE_PAUSE * 1.2)
        assert cut_off.circuit.probes == 2

    def test_a_probe_that_fails_leaves_the_circuit_as_it_is(
        self, cut_off: CallbackSource, now: datetime
    ) -> None:
        circuit.take_probe(cut_off.pk, now=now + LATER)
        paced = Circuit.objects.get().probe_at

        circuit.heard(cut_off.pk, TIMED_OUT, now=now + LATER + timedelta(seconds=13))

        after = Circuit.objects.get()
        assert (after.opened_at, after.probe_at) == (now, paced)

    @pytest.mark.parametrize(
        "answer",
        [
            ACCEPTED,
            Answer(Reply.CLOSED),
            Answer(Reply.UNAVAILABLE, "TooManyRequests"),
            meaning("AccessDeniedException", 403),
        ],
        ids=["accepted", "closed", "429", "one function denied"],
    )
    def test_the_first_answer_of_aws_closes_it(
        self, cut_off: CallbackSource, now: datetime, answer: Answer
    ) -> None:
        circuit.heard(cut_off.pk, answer, now=now)

        assert circuit.ways(now) == circuit.Ways([], [])
        assert Circuit.objects.get().failures == 0

    @pytest.mark.parametrize(
        "error",
        [meaning("ServiceException", 500), meaning("", 403), sealed_elsewhere()],
        ids=["AWS's own", "403 by nobody known", "not sent"],
    )
    def test_what_may_not_have_come_from_aws_in_good_health_proves_nothing(
        self, cut_off: CallbackSource, now: datetime, error: Answer
    ) -> None:
        circuit.heard(cut_off.pk, error, now=now)

        assert circuit.broken(now) == [cut_off.pk]

    def test_a_batch_is_let_through_but_for_one_call_of_a_source_due_for_a_probe(
        self, cut_off: CallbackSource, now: datetime
    ) -> None:
        for _ in range(3):
            make_request(make_user(), source=cut_off, heartbeat_timeout_seconds=30)
        make_request(make_user(), heartbeat_timeout_seconds=30)
        rows, later = list(Heartbeat.objects.order_by("pk")), now + LATER

        found = circuit.ways(later)
        through, back = circuit.let_through(rows, found, now=later)
        again = circuit.let_through(rows, found, now=later)

        assert (through, back) == ([rows[0], rows[3]], rows[1:3])
        assert again == ([rows[3]], rows[:3])

    def test_an_answer_owed_goes_before_a_heartbeat_as_the_probe(
        self, cut_off: CallbackSource
    ) -> None:
        make_request(make_user(), source=cut_off, heartbeat_timeout_seconds=30)
        owed, (beat,) = decided(source=cut_off).delivery, Heartbeat.objects.all()
        now = owed.owed_at + LATER

        through, back = circuit.let_through([beat], circuit.ways(now), now=now)
        claimed = outbox.claim_next(now=now)

        assert (through, back) == ([], [beat])
        assert claimed == owed

    def test_an_answer_nobody_comes_for_holds_up_no_heartbeat(
        self, cut_off: CallbackSource
    ) -> None:
        make_request(make_user(), source=cut_off, heartbeat_timeout_seconds=30)
        owed, (beat,) = decided(source=cut_off).delivery, Heartbeat.objects.all()
        now = owed.owed_at + circuit.ANSWERS_FIRST_FOR

        assert circuit.let_through([beat], circuit.ways(now), now=now) == ([beat], [])


class TestDeliveries:
    def test_nothing_of_a_source_cut_off_is_attempted(
        self, cut_off: CallbackSource, owe: Owe
    ) -> None:
        delivery = owe(source=cut_off)
        other = owe()

        assert outbox.claim_next(now=other.owed_at) == other
        assert outbox.claim_next(now=other.owed_at) is None

        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.in_flight, delivery.unknown_attempt) == (
            0, False, False,
        )  # fmt: skip

    def test_one_answer_is_the_probe_and_the_others_wait_for_what_it_finds(
        self, cut_off: CallbackSource, owe: Owe
    ) -> None:
        first, second = owe(source=cut_off), owe(source=cut_off)
        now = second.owed_at + LATER

        claimed = outbox.claim_next(now=now)
        assert claimed == first
        assert outbox.claim_next(now=now) is None

        circuit.heard(cut_off.pk, ACCEPTED, now=now)
        assert outbox.claim_next(now=now) == second

    def test_what_expires_before_the_next_probe_is_sent_however_broken_the_way(
        self, cut_off: CallbackSource, owe: Owe
    ) -> None:
        delivery = owe(source=cut_off, timeout_seconds=600)
        Circuit.objects.update(probe_at=delivery.give_up_at + timedelta(hours=1))
        last_chance = delivery.give_up_at - circuit.PROBE_PAUSE

        assert outbox.claim_next(now=last_chance - timedelta(seconds=1)) is None
        assert outbox.claim_next(now=last_chance) == delivery
        assert Circuit.objects.get().probes == 0

    def test_an_answer_that_expires_soon_is_tried_no_more_often_than_back_off_lets_it(
        self, cut_off: CallbackSource, owe: Owe
    ) -> None:
        delivery = owe(source=cut_off, timeout_seconds=600)
        Circuit.objects.update(probe_at=delivery.give_up_at + timedelta(seconds=8))
        now = delivery.give_up_at - timedelta(seconds=20)
        claimed = outbox.claim_next(now=now)
        assert claimed is not None
        outbox.settle(claimed, TIMED_OUT, now=now)
        delivery.refresh_from_db()

        assert now <= delivery.next_attempt_at < delivery.give_up_at
        early = delivery.next_attempt_at - timedelta(milliseconds=1)
        assert outbox.claim_next(now=early) is None
        assert outbox.claim_next(now=delivery.next_attempt_at) == delivery

    def test_a_claim_remembers_that_the_source_had_trouble(
        self, source: CallbackSource, owe: Owe, now: datetime
    ) -> None:
        fail(source, now, 1)
        circuit._troubled.clear()  # it was another process that heard it
        outbox.claim_next(now=owe(source=source).owed_at)

        circuit.heard(source.pk, ACCEPTED, now=now)

        assert source.circuit.failures == 0


class TestMending:
    def test_a_redrive_lets_a_source_be_tried_at_once(
        self, source: CallbackSource, owe: Owe, now: datetime
    ) -> None:
        delivery = owe(source=source)
        claimed = outbox.claim_next(now=delivery.owed_at)
        assert claimed is not None
        outbox.settle(claimed, Answer(Reply.REFUSED), now=delivery.owed_at)
        fail(source, now)

        lifecycle.redrive(delivery.pk, operator=make_user(role="operator"), reason="Mended.")

        assert outbox.claim_next(now=database_now()) == delivery

    def test_a_source_that_an_admin_changes_is_tried_at_once(
        self, cut_off: CallbackSource, owe: Owe
    ) -> None:
        delivery = owe(source=cut_off)
        fields = keeping.SourceFields(name="Mended", region="eu-west-1", allow_local_runner=True)

        keeping.change_source(cut_off.slug, fields, admin=None)

        assert outbox.claim_next(now=database_now()) == delivery


@pytest.mark.django_db(transaction=True)
class TestTwoSources:
    def test_two_workers_make_one_probe(self) -> None:
        source, start = make_source(), Barrier(2)
        fail(source, database_now())
        due = database_now() + LATER

        def probe(_: int) -> bool:
            try:
                start.wait(10)
                return circuit.take_probe(source.pk, now=due)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(probe, range(2))) == [False, True]

    def test_whoever_misses_the_probe_goes_on_to_the_next_source(self) -> None:
        source, now = make_source(), database_now()
        owed, other = decided(source=source).delivery, decided().delivery
        fail(source, now - LATER)

        def claim() -> CallbackDelivery | None:
            try:
                return outbox.claim_next()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                assert circuit.take_probe(source.pk, now=database_now())
                claiming = pool.submit(claim)
                until_somebody_waits()
            assert claiming.result(10) == other

        owed.refresh_from_db()
        assert (owed.attempts, owed.in_flight) == (0, False)

    def test_a_source_that_hangs_is_cut_off_and_the_other_is_served_at_once(self) -> None:
        with LambdaApi() as sick, LambdaApi() as well:
            hanging, healthy = (
                make_source(endpoint_url=sick.url),
                make_source(endpoint_url=well.url),
            )
            sick.script.extend([lambda_api.SLOW] * 100)
            for _ in range(8):
                decided(source=hanging)
            gateway = LambdaGateway(read_timeout=timedelta(milliseconds=200))
            assert deliver_due(gateway)["pending"] >= circuit.FAILURES_TO_OPEN
            asked = len(sick.calls)
            CallbackDelivery.objects.update(next_attempt_at=F("owed_at"))
            for _ in range(8):
                decided(source=healthy)

            assert deliver_due(gateway) == Counter(delivered=8, accepted=8)

            assert len(sick.calls) == asked <= circuit.FAILURES_TO_OPEN + 3
            assert len(well.closed) == 8
            waiting = CallbackDelivery.objects.filter(source=hanging)
            assert {row.state for row in waiting} == {DeliveryState.PENDING}


class OneFunctionDenied(ScriptedGateway):
    """AWS denies every call but those for the callbacks GRANTED."""

    def __init__(self, *granted: str) -> None:
        super().__init__()
        self._granted = granted

    def succeed(self, address: Address, callback_id: str, result: bytes) -> Answer:
        return self._judged(callback_id, super().succeed(address, callback_id, result))

    def fail(self, address: Address, callback_id: str, error: CallbackFailure) -> Answer:
        return self._judged(callback_id, super().fail(address, callback_id, error))

    def beat(self, address: Address, callback_id: str) -> Answer:
        return self._judged(callback_id, super().beat(address, callback_id))

    def _judged(self, callback_id: str, answer: Answer) -> Answer:
        return answer if callback_id in self._granted else meaning("AccessDeniedException", 403)


@pytest.mark.django_db(transaction=True)
class TestOneFunctionOfASource:
    def test_the_others_go_on_while_one_is_denied(self) -> None:
        source, person = make_source(), make_user()
        for _ in range(20):
            make_request(person, source=source, heartbeat_timeout_seconds=30)
            decided(source=source)
        kept = make_request(person, source=source, heartbeat_timeout_seconds=30)
        owed = decided(source=source)
        gateway = OneFunctionDenied(kept.callback_id, owed.callback_id)

        beat_due(gateway)
        deliver_due(gateway)

        owed.delivery.refresh_from_db()
        assert Heartbeat.objects.get(request=kept).beats == 1
        assert owed.delivery.state == DeliveryState.DELIVERED
        assert not Circuit.objects.exists()
