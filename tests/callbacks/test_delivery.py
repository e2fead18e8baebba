"""From the answer owed to the answer taken: real rows, threads, and a wire that fails."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event, current_thread, main_thread
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.db.models import F

from approvals import keyring, turns
from approvals.callbacks import lanes, outbox, pace
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.delivery import Outgoing, deliver_due
from approvals.callbacks.gateway import Address, Answer, CallbackFailure
from approvals.clock import database_now
from approvals.models import CallbackDelivery
from approvals.states import DeliveryState, Reply, Verdict
from tests.callbacks.conftest import decided, tags
from tests.factories import make_source
from tests.fakes import lambda_api
from tests.fakes.gateway import HangingGateway, ScriptedGateway
from tests.fakes.lambda_api import Fault, LambdaApi

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_retry_by_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full jitter may be over at once; here a second attempt is one the test asked for."""
    monkeypatch.setattr(pace, "after", lambda answer, attempt: timedelta(minutes=1))


def make_due() -> None:
    """Let every pause and lease be over, as if the time had passed."""
    CallbackDelivery.objects.filter(state=DeliveryState.PENDING).update(
        next_attempt_at=F("owed_at")
    )


class TestSending:
    def test_an_approval_is_told_as_success_with_the_bytes_owed(self) -> None:
        request = decided()
        gateway = ScriptedGateway()

        assert deliver_due(gateway) == Counter(delivered=1, accepted=1)

        assert gateway.calls == [("succeed", request.callback_id)]
        assert gateway.bodies == [request.delivery.body]
        assert json.loads(request.delivery.body)["outcome"] == "approved"

    def test_a_rejection_is_told_as_failure_with_the_document_as_its_data(self) -> None:
        request = decided(Verdict.REJECTED)
        gateway = ScriptedGateway()

        deliver_due(gateway)

        assert gateway.calls == [("fail", request.callback_id)]
        error = gateway.bodies[0]
        assert isinstance(error, CallbackFailure)
        assert error.error_type == "ApprovalRejected"
        assert json.loads(error.data)["outcome"] == "rejected"

    def test_a_source_is_spoken_for_at_its_own_address(self) -> None:
        source = make_source(
            region="eu-west-1", role_arn="arn:aws:iam::1:role/r", external_id="e",
            endpoint_url="http://127.0.0.1:9014",
        )  # fmt: skip
        decided(source=source)
        gateway = ScriptedGateway()

        deliver_due(gateway)

        assert gateway.addresses == [
            Address(source.pk, "eu-west-1", "http://127.0.0.1:9014", "arn:aws:iam::1:role/r", "e")
        ]

    def test_threads_talk_to_aws_and_hold_no_connection(self) -> None:
        decided()
        seen: list[tuple[bool, bool]] = []
        gateway = ScriptedGateway()
        gateway.while_sending = lambda verb, name: seen.append(
            (current_thread() is main_thread(), connection.connection is None)
        )

        deliver_due(gateway)

        assert seen == [(False, True)]

    def test_the_attempt_is_on_record_while_aws_is_asked(self) -> None:
        request = decided()
        seen: list[tuple[int, bool]] = []

        def look(verb: str, name: str) -> None:
            row = CallbackDelivery.objects.get(request=request.pk)
            seen.append((row.attempts, row.in_flight))
            connections.close_all()

        gateway = ScriptedGateway()
        gateway.while_sending = look

        deliver_due(gateway)

        assert seen == [(1, True)]

    def test_nothing_due_is_no_work(self) -> None:
        assert deliver_due(ScriptedGateway()) == Counter()

    def test_a_gateway_that_raises_stops_nobody(self) -> None:
        decided()
        decided()
        gateway = ScriptedGateway()

        def burst(verb: str, name: str) -> None:
            if len(gateway.calls) == 1:
                raise ZeroDivisionError

        gateway.while_sending = burst

        assert deliver_due(gateway) == Counter(delivered=1, pending=1, accepted=1, unavailable=1)
        assert CallbackDelivery.objects.get(state="pending").unknown_attempt

    def test_a_missing_field_key_waits_to_be_mended_and_stops_nobody(self) -> None:
        broken, whole = decided(), decided()
        sealed = keyring.seal(b"{}", place="elsewhere")
        CallbackDelivery.objects.filter(request=broken).update(sealed_body=sealed)

        deliver_due(ScriptedGateway())

        broken.delivery.refresh_from_db()
        whole.delivery.refresh_from_db()
        assert broken.delivery.detail.startswith("SealBroken: ")
        assert broken.delivery.state == DeliveryState.PENDING
        assert whole.delivery.state == DeliveryState.DELIVERED


class TestManyAtOnce:
    def test_a_source_that_hangs_holds_up_nobody_else(self) -> None:
        hanging = make_source()
        for _ in range(outbox.IN_FLIGHT_PER_SOURCE + 1):
            decided(source=hanging)
        for _ in range(6):
            decided()
        gateway = HangingGateway(hanging.pk, until_others=6)

        assert deliver_due(gateway)["delivered"] == outbox.IN_FLIGHT_PER_SOURCE + 1 + 6

        assert gateway.hung == outbox.IN_FLIGHT_PER_SOURCE

    def test_two_workers_send_each_answer_once(self) -> None:
        for _ in range(12):
            decided()
        gateway, start = ScriptedGateway(), Barrier(2)

        def work(_: int) -> Counter[str]:
            try:
                start.wait(10)
                return deliver_due(gateway, threads=4)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            tally = sum(pool.map(work, range(2)), Counter[str]())

        assert tally == Counter(delivered=12, accepted=12)
        assert len(set(gateway.calls)) == len(gateway.calls) == 12

    def test_beside_two_sweeps_a_third_leaves_the_answers_to_them(self) -> None:
        decided()
        held, enough = Event(), Event()

        def hold() -> None:
            with turns.turn(turns.DELIVER), turns.turn(turns.DELIVER[1:]):
                held.set()
                enough.wait(30)
            connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            others = pool.submit(hold)
            assert held.wait(10)
            idle = deliver_due(ScriptedGateway())
            enough.set()
            others.result()

        assert idle == Counter()
        assert deliver_due(ScriptedGateway())["delivered"] == 1

    def test_two_settlements_of_one_attempt_leave_one_line_of_history(self) -> None:
        request = decided()
        claimed = outbox.claim_next(now=database_now())
        assert claimed is not None
        start = Barrier(2)

        def settle(_: int) -> DeliveryState | None:
            try:
                start.wait(10)
                return outbox.settle(claimed, Answer(Reply.ACCEPTED), now=database_now())
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            states = list(pool.map(settle, range(2)))

        assert sorted(map(str, states)) == ["None", "delivered"]
        assert tags(request).count("delivery.delivered") == 1


class TestHeldUp:
    """A worker that stands still between claiming and sending, and then goes on."""

    def test_what_was_not_begun_in_half_its_lease_is_sent_by_a_new_attempt(
        self, settings: Any
    ) -> None:
        settings.DELIVERY_LEASE = timedelta(seconds=2)
        request = decided()
        gateway = StallingOnce(seconds=1.1)

        tally = deliver_due(gateway)

        assert tally == Counter(unsent=1, delivered=1, accepted=1)
        assert gateway.calls == [("succeed", request.callback_id)]
        delivery = CallbackDelivery.objects.get(request=request)
        assert (delivery.attempts, delivery.unknown_attempt) == (2, False)

    def test_old_news_is_not_sent_beside_a_later_attempt(self) -> None:
        request = decided()
        old_news = outbox.claim_next()
        assert old_news is not None
        make_due()
        deliver_due(ScriptedGateway(Reply.UNAVAILABLE))
        old_news.send_by = time.monotonic() - 0.001  # it was frozen all the while
        gateway = ScriptedGateway()
        outgoing = Outgoing(gateway, threads=1)

        outgoing.lanes.put([old_news])
        landed = outgoing.lanes.landed(timedelta(seconds=10))
        outgoing.settle(landed)

        assert gateway.calls == []
        assert outgoing.tally == Counter(unsent=1)
        delivery = CallbackDelivery.objects.get(request=request)
        assert (delivery.attempts, delivery.last_reply) == (2, Reply.UNAVAILABLE)
        assert delivery.next_attempt_at > database_now()  # not due at once: the retry's pause


class StallingOnce(ScriptedGateway):
    """The first client takes SECONDS to make, as on a machine that is busy with others."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def prepare(self, address: Address) -> None:
        super().prepare(address)
        seconds, self._seconds = self._seconds, 0
        time.sleep(seconds)


class TestADatabaseThatFails:
    @pytest.fixture(autouse=True)
    def _tries_again_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes, "TRY_AGAIN", timedelta(0))

    @pytest.fixture
    def together(self) -> ScriptedGateway:
        """Answers only once two are asked, so that both land together."""
        gateway, both = ScriptedGateway(), Barrier(2)
        gateway.while_sending = lambda verb, name: _await(both)
        return gateway

    def test_what_could_not_be_settled_is_settled_a_little_later_and_so_are_the_others(
        self, together: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decided(source=make_source())
        decided(source=make_source())
        _fail(monkeypatch, outbox, "settle", OperationalError("restarted"))

        assert deliver_due(together) == Counter(delivered=2, accepted=2)

        assert set(CallbackDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}

    def test_a_connection_that_is_gone_is_replaced(
        self, together: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decided(source=make_source())
        decided(source=make_source())
        settle, cut = outbox.settle, [True]

        def once_without_a_connection(claimed: Any, answer: Answer) -> Any:
            if cut:
                cut.clear()
                assert connection.connection is not None
                connection.connection.close()
            return settle(claimed, answer)

        monkeypatch.setattr(outbox, "settle", once_without_a_connection)

        assert deliver_due(together) == Counter(delivered=2, accepted=2)

    def test_what_never_can_be_settled_is_left_to_its_lease(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decided()
        monkeypatch.setattr(lanes, "TRY_FOR", timedelta(0))
        _fail(monkeypatch, outbox, "settle", OperationalError("deadlock detected"))

        assert deliver_due(ScriptedGateway()) == Counter()

        assert CallbackDelivery.objects.get().in_flight

    def test_what_is_under_way_is_heard_although_nothing_more_can_be_claimed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decided()
        claim, sent = outbox.claim_next, Event()
        gateway = ScriptedGateway()
        gateway.while_sending = lambda verb, name: _await(sent)

        def claim_once(**options: Any) -> Any:
            if CallbackDelivery.objects.filter(attempts=0).exists():
                return claim(**options)
            sent.set()
            raise OperationalError("the database system is shutting down")

        monkeypatch.setattr(outbox, "claim_next", claim_once)

        with pytest.raises(OperationalError):
            deliver_due(gateway)

        assert CallbackDelivery.objects.get().state == DeliveryState.DELIVERED


def _await(others: Barrier | Event) -> None:
    others.wait(10)


def _fail(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, error: Exception) -> None:
    """NAME fails the first time."""
    real, errors = getattr(module, name), [error]

    def act(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*args, **options)

    monkeypatch.setattr(module, name, act)


class TestOnTheWire:
    @pytest.fixture
    def api(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaApi]:
        with LambdaApi() as api:
            monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)
            yield api

    @pytest.fixture
    def gateway(self) -> LambdaGateway:
        return LambdaGateway(read_timeout=timedelta(milliseconds=300))

    def test_an_answer_reaches_aws_once(self, api: LambdaApi, gateway: LambdaGateway) -> None:
        request = decided()

        deliver_due(gateway)

        assert api.closed == {request.callback_id: ("succeed", request.delivery.body)}

    @pytest.mark.parametrize(
        ("fault", "state"),
        [
            (lambda_api.THROTTLED, DeliveryState.DELIVERED),
            (lambda_api.SERVICE_ERROR, DeliveryState.DELIVERED),
            (lambda_api.KMS_DENIED, DeliveryState.DELIVERED),
            (lambda_api.HTML_503, DeliveryState.DELIVERED),
            (lambda_api.GARBAGE_200, DeliveryState.DELIVERED),
            (lambda_api.RESET_BEFORE, DeliveryState.DELIVERED),
            (lambda_api.error("AccessDeniedException", 403), DeliveryState.DELIVERED),
            (lambda_api.RESET_AFTER, DeliveryState.UNCONFIRMED),
            (lambda_api.HALF_ANSWER, DeliveryState.UNCONFIRMED),
            (lambda_api.SLOW, DeliveryState.UNCONFIRMED),
        ],
        ids=["429", "500", "kms", "html", "garbage", "reset before", "denied", "reset after",
             "half", "slow"],
    )  # fmt: skip
    def test_one_fault_never_loses_an_answer_nor_calls_it_refused(
        self, api: LambdaApi, gateway: LambdaGateway, fault: Fault, state: DeliveryState
    ) -> None:
        request = decided()
        api.script.append(fault)

        deliver_due(gateway)
        request.delivery.refresh_from_db()
        assert request.delivery.state == DeliveryState.PENDING
        make_due()
        deliver_due(gateway)

        request.delivery.refresh_from_db()
        assert request.delivery.state == state
        assert api.closed == {request.callback_id: ("succeed", request.delivery.body)}

    def test_a_worker_that_dies_after_aws_took_it_leaves_it_unconfirmed(
        self, api: LambdaApi, gateway: LambdaGateway
    ) -> None:
        request = decided()
        claimed = outbox.claim_next(now=database_now())
        assert claimed is not None
        gateway.succeed(Address.of(claimed.source), request.callback_id, claimed.body)
        # … and the worker dies here: nothing is settled.
        assert deliver_due(gateway) == Counter()

        CallbackDelivery.objects.update(
            next_attempt_at=F("next_attempt_at") - settings.DELIVERY_LEASE - timedelta(seconds=1)
        )

        assert deliver_due(gateway) == Counter(unconfirmed=1, closed=1)
        assert tags(request)[-1] == "delivery.unconfirmed"

    def test_neither_the_callback_id_nor_aws_s_words_enter_a_row_or_the_history(
        self, api: LambdaApi, gateway: LambdaGateway
    ) -> None:
        request = decided()
        message = f"Callback operation [{request.callback_id}] is not in STARTED state"
        api.script.append(lambda_api.runner(message))

        deliver_due(gateway)

        request.delivery.refresh_from_db()
        facts: Any = request.history.values_list("facts", flat=True)
        assert request.callback_id not in f"{request.delivery.detail} {list(facts)}"
        assert request.delivery.state == DeliveryState.UNDELIVERABLE
