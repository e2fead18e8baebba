"""Standing by: heard at once, relieved without a gap, and never the only way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from celery import current_app
from django.db import (
    Error,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from approvals import doorbell, turns
from approvals.callbacks import delivery, lanes, outbox, standby
from approvals.callbacks.standby import relieve_all, stand_by
from approvals.models import CallbackDelivery
from approvals.states import DeliveryState
from tests.callbacks.conftest import decided, until_somebody_waits
from tests.factories import make_source
from tests.fakes.gateway import HangingGateway, ScriptedGateway

pytestmark = pytest.mark.django_db(transaction=True)

LONG = timedelta(seconds=60)
Start = Callable[..., Future[Counter[str]]]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks for which the broker was asked."""
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: names.append(name))
    return names


@pytest.fixture
def start() -> Iterator[Start]:
    """Lets another worker stand by, and returns once it does, or waits to."""

    def work(gateway: Any, **options: Any) -> Counter[str]:
        try:
            return stand_by(gateway, **{"stay": LONG, **options})
        finally:
            connections.close_all()

    def begin(gateway: Any, *, takes_over: bool = True, **options: Any) -> Future[Counter[str]]:
        before = holder()
        future = pool.submit(work, gateway, **options)
        if not takes_over:
            until_somebody_waits()
            return future
        while holder() in {None, before}:
            if future.done():
                future.result()
        return future

    with ThreadPoolExecutor(3) as pool:
        yield begin
        relieve_all()


def holder() -> int | None:
    """Whose connection stands by."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            "WHERE locktype = 'advisory' AND objid = %s AND granted "
            "AND datname = current_database()",
            [turns.STANDING_BY],
        )
        row = cursor.fetchone()
    return row[0] if row else None


class Signalling(ScriptedGateway):
    """Tells when so many calls have been made."""

    def __init__(self, number: int = 1) -> None:
        super().__init__()
        self.made = Event()
        self.while_sending = lambda verb, name: self.made.set() if self._enough(number) else None

    def _enough(self, number: int) -> bool:
        return len(self.calls) >= number


def test_a_decision_is_sent_at_once_and_the_broker_is_not_asked(
    start: Start, rung: list[str]
) -> None:
    gateway = Signalling()
    standing = start(gateway)

    request = decided()

    assert gateway.made.wait(10)
    relieve_all()
    assert standing.result(10) == Counter(delivered=1, accepted=1)
    assert gateway.calls == [("succeed", request.callback_id)]
    assert doorbell.DELIVER_CALLBACKS not in rung


def test_with_nobody_standing_by_the_broker_is_rung(rung: list[str]) -> None:
    decided()

    assert doorbell.DELIVER_CALLBACKS in rung


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_whoever_cannot_ask_postgresql_rings_the_broker(
    rung: list[str], monkeypatch: pytest.MonkeyPatch, error: type[Error]
) -> None:
    def gone() -> None:
        raise error("the connection is closed")

    monkeypatch.setattr(connection, "cursor", gone)

    doorbell._bell.ring(doorbell.DELIVER_CALLBACKS)

    assert rung == [doorbell.DELIVER_CALLBACKS]


def test_a_decision_that_is_rolled_back_wakes_nobody(start: Start) -> None:
    gateway = ScriptedGateway()
    standing = start(gateway)

    with transaction.atomic():
        doorbell.ring(doorbell.DELIVER_CALLBACKS)
        transaction.set_rollback(True)

    relieve_all()
    assert standing.result(10) == Counter()


def test_a_newcomer_relieves_whoever_stands_by(start: Start) -> None:
    first, second = ScriptedGateway(), Signalling()
    before = start(first)

    after = start(second)

    assert before.result(10) == Counter()
    decided()
    assert second.made.wait(10)
    relieve_all()
    assert after.result(10)["delivered"] == 1
    assert first.calls == []


def test_who_has_calls_under_way_stays_and_a_third_returns_at_once(start: Start) -> None:
    hanging = make_source()
    gateway = HangingGateway(hanging.pk, until_others=1)
    first = start(gateway)
    decided(source=hanging)
    assert gateway.until_hung(1)
    before = holder()
    second = start(ScriptedGateway(), takes_over=False)

    assert stand_by(ScriptedGateway(), stay=LONG) == Counter()
    assert (holder(), first.done(), second.done()) == (before, False, False)

    decided()  # heard by the first, who then has no call under way
    assert first.result(10)["delivered"] == 2
    while holder() in {None, before}:
        assert not second.done()
    relieve_all()
    assert second.result(10) == Counter()


def test_who_is_relieved_hears_its_calls_to_their_end(start: Start) -> None:
    source = make_source()
    gateway = HangingGateway(source.pk, until_others=99)
    standing = start(gateway)
    decided(source=source)
    assert gateway.until_hung(1)

    relieve_all()
    gateway.release()

    assert standing.result(10)["delivered"] == 1


def test_whoever_is_jammed_lets_others_hear_the_bell(
    start: Start, rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(milliseconds=1))
    monkeypatch.setattr(standby, "POLL", timedelta(milliseconds=1))
    hanging = make_source()
    gateway = HangingGateway(hanging.pk, until_others=99)
    standing = start(gateway, threads=outbox.IN_FLIGHT_PER_SOURCE)
    for _ in range(outbox.IN_FLIGHT_PER_SOURCE):
        decided(source=hanging)
    assert gateway.until_hung(outbox.IN_FLIGHT_PER_SOURCE)
    while holder():
        pass

    rung.clear()
    decided()

    assert doorbell.DELIVER_CALLBACKS in rung
    gateway.release()
    assert standing.result(10)["delivered"] == outbox.IN_FLIGHT_PER_SOURCE


def test_hangs_of_several_sources_keep_no_answer_from_another_worker(
    start: Start, rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No source has all its lanes full, and yet no thread is free."""
    monkeypatch.setattr(standby, "POLL", timedelta(milliseconds=1))
    monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(minutes=1))
    hanging = [make_source() for _ in range(3)]
    gateway = HangingGateway(*(source.pk for source in hanging), until_others=99)
    standing = start(gateway)
    for source, number in zip(hanging, (3, 3, 2), strict=True):
        for _ in range(number):
            decided(source=source)
    assert gateway.until_hung(8)
    healthy = decided()
    assert doorbell.DELIVER_CALLBACKS not in rung  # only who stands by has heard of it

    monkeypatch.setattr(lanes, "HANGS_AFTER", timedelta(milliseconds=1))
    while doorbell.DELIVER_CALLBACKS not in rung:  # for what it heard and could not send
        assert not standing.done()

    assert holder() is None
    assert delivery.deliver_due(ScriptedGateway()) == Counter(delivered=1, accepted=1)
    healthy.delivery.refresh_from_db()
    assert healthy.delivery.attempts == 1
    gateway.release()
    assert standing.result(10)["delivered"] == 8


def test_what_falls_due_by_the_clock_is_found_without_a_ring(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "LOOK_EVERY", timedelta(milliseconds=5))
    monkeypatch.setattr(doorbell, "someone_stands_by", lambda: True)  # and nobody is told
    gateway = Signalling()
    standing = start(gateway)

    decided()

    assert gateway.made.wait(10)
    relieve_all()
    assert standing.result(10)["delivered"] == 1


def test_a_stay_ends_by_itself() -> None:
    assert stand_by(ScriptedGateway(), stay=timedelta(0)) == Counter()
    assert holder() is None


def test_a_place_that_is_not_given_up_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds it may be frozen: sweeps go on, and rings are heard by them alone."""
    taken, let_go = Event(), Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [turns.STANDING_BY])
        taken.set()
        let_go.wait(10)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert taken.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10ms'")
        try:
            gateway = ScriptedGateway()
            decided()
            assert stand_by(gateway, stay=LONG) == Counter()
            assert delivery.deliver_due(gateway)["delivered"] == 1
        finally:
            let_go.set()
            connection.close()
    assert CallbackDelivery.objects.get().state == DeliveryState.DELIVERED


def test_two_looks_at_executions_soon_after_each_other_need_one_bell(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "_bell", doorbell._Bell())
    for _ in range(3):
        doorbell.ring(doorbell.LOOK_AT_EXECUTIONS)
        doorbell.ring(doorbell.SEND_HEARTBEATS)

    assert Counter(rung) == {doorbell.LOOK_AT_EXECUTIONS: 1, doorbell.SEND_HEARTBEATS: 3}
