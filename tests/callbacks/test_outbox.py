"""Claims and settlements, with the time given."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from approvals import errors, lifecycle
from approvals.callbacks import outbox
from approvals.callbacks.gateway import Answer
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Execution, Heartbeat
from approvals.states import DeliveryState, Reply
from tests.callbacks.conftest import Owe, decided, tags, until_somebody_waits
from tests.factories import make_source, make_user

pytestmark = pytest.mark.django_db

UNKNOWN = Answer(Reply.UNAVAILABLE, "ReadTimeoutError: …", applied_unknown=True)
REFUSED_CONNECT = Answer(Reply.UNAVAILABLE, "EndpointConnectionError: …")


def attempt(reply: Reply | Answer, now: datetime) -> DeliveryState | None:
    """Claim what is due at NOW and settle it with REPLY."""
    claimed = outbox.claim_next(now=now)
    assert claimed is not None
    answer = reply if isinstance(reply, Answer) else Answer(reply, "Scripted.")
    return outbox.settle(claimed, answer, now=now)


class TestClaiming:
    def test_a_claim_writes_the_attempt_down_before_it_is_sent(self, owe: Owe) -> None:
        delivery = owe()
        now = delivery.owed_at

        claimed = outbox.claim_next(now=now)

        delivery.refresh_from_db()
        assert claimed == delivery
        assert (delivery.attempts, delivery.in_flight) == (1, True)
        assert delivery.last_attempt_at == now
        assert delivery.next_attempt_at == now + settings.DELIVERY_LEASE

    def test_a_leased_delivery_is_nobody_else_s(self, owe: Owe) -> None:
        now = owe().owed_at
        outbox.claim_next(now=now)

        assert outbox.claim_next(now=now + settings.DELIVERY_LEASE / 2) is None

    def test_a_lease_ends_by_itself_and_the_lost_attempt_counts_as_unknown(self, owe: Owe) -> None:
        delivery = owe()
        outbox.claim_next(now=delivery.owed_at)  # and this worker dies

        again = outbox.claim_next(now=delivery.owed_at + settings.DELIVERY_LEASE)

        assert again is not None
        assert (again.attempts, again.unknown_attempt) == (2, True)

    def test_nothing_is_claimed_before_it_is_due(self, owe: Owe) -> None:
        assert outbox.claim_next(now=owe().owed_at - timedelta(milliseconds=1)) is None

    def test_what_has_been_due_longest_goes_first(self, owe: Owe) -> None:
        late, later = owe(), owe()

        claimed = [outbox.claim_next(now=later.owed_at) for _ in range(2)]

        assert claimed == [late, later]

    def test_a_settled_delivery_is_never_claimed(self, owe: Owe) -> None:
        now = owe().owed_at
        attempt(Reply.ACCEPTED, now)

        assert outbox.claim_next(now=now + timedelta(days=400)) is None

    def test_a_claim_can_be_sent_without_the_database(
        self, owe: Owe, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        claimed = outbox.claim_next(now=owe().owed_at)
        assert claimed is not None

        with django_assert_num_queries(0):  # type: ignore[operator]
            assert claimed.body
            assert claimed.request.callback_id
            assert claimed.source.region

    def test_a_source_that_hangs_holds_up_nobody_else(self, owe: Owe) -> None:
        hanging, other = make_source(), make_source()
        for _ in range(outbox.IN_FLIGHT_PER_SOURCE + 2):
            owe(source=hanging)
        last = owe(source=other)

        claimed = [outbox.claim_next(now=last.owed_at) for _ in range(8)]

        sources = [row.source_id for row in claimed if row]
        assert sources == [hanging.pk] * outbox.IN_FLIGHT_PER_SOURCE + [other.pk]

    def test_a_dead_worker_s_lanes_are_free_again_after_the_lease(self, owe: Owe) -> None:
        source = make_source()
        now = [owe(source=source) for _ in range(outbox.IN_FLIGHT_PER_SOURCE)][-1].owed_at
        for _ in range(outbox.IN_FLIGHT_PER_SOURCE):
            outbox.claim_next(now=now)
        assert outbox.claim_next(now=now) is None

        assert outbox.claim_next(now=now + settings.DELIVERY_LEASE) is not None

    def test_what_was_never_sent_is_due_at_once_and_not_unknown(self, owe: Owe) -> None:
        now = owe().owed_at
        claimed = outbox.claim_next(now=now)
        assert claimed is not None

        outbox.give_back([claimed], now=now)

        again = outbox.claim_next(now=now)
        assert again is not None
        assert (again.attempts, again.unknown_attempt) == (2, False)
        closed = Answer(Reply.CLOSED, "Scripted.")
        assert outbox.settle(claimed, closed, now=now) is None  # it has been overtaken
        assert outbox.settle(again, closed, now=now) == DeliveryState.UNDELIVERABLE

    def test_a_lost_attempt_before_one_never_sent_stays_unknown(self, owe: Owe) -> None:
        now = owe().owed_at
        outbox.claim_next(now=now)  # and this worker dies
        now += settings.DELIVERY_LEASE
        second = outbox.claim_next(now=now)
        assert second is not None

        outbox.give_back([second], now=now)

        assert attempt(Reply.CLOSED, now) == DeliveryState.UNCONFIRMED

    def test_what_was_overtaken_is_not_given_back(self, owe: Owe) -> None:
        delivery = owe()
        first = outbox.claim_next(now=delivery.owed_at)
        assert first is not None
        outbox.claim_next(now=delivery.owed_at + settings.DELIVERY_LEASE)

        outbox.give_back([first], now=delivery.owed_at)

        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.in_flight) == (2, True)

    def test_crowded_sources_are_passed_over(self, owe: Owe) -> None:
        delivery = owe()

        assert outbox.claim_next(now=delivery.owed_at, crowded=[delivery.source_id]) is None


@pytest.mark.parametrize("reply", Reply)
def test_settling_reads_the_delivery_once_whatever_aws_said(owe: Owe, reply: Reply) -> None:
    now = owe().owed_at
    claimed = outbox.claim_next(now=now)
    assert claimed is not None

    reads: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "SELECT" in sql and CallbackDelivery._meta.db_table in sql:
            reads.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        outbox.settle(claimed, Answer(reply, "Scripted."), now=now)

    assert len(reads) == 1


class TestSettling:
    @pytest.mark.parametrize(
        ("reply", "state", "still_beating"),
        [
            (Reply.ACCEPTED, DeliveryState.DELIVERED, False),
            (Reply.UNAVAILABLE, DeliveryState.PENDING, True),
            (Reply.CLOSED, DeliveryState.UNDELIVERABLE, False),
            (Reply.REFUSED, DeliveryState.UNDELIVERABLE, True),
        ],
    )
    def test_each_reply_leads_to_one_state(
        self, owe: Owe, reply: Reply, state: DeliveryState, still_beating: bool
    ) -> None:
        delivery = owe(heartbeat_timeout_seconds=30)

        assert attempt(reply, delivery.owed_at) is state

        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_reply) == (state, reply)
        assert delivery.in_flight is False
        assert delivery.detail == "Scripted."
        assert (delivery.settled_at is None) is (state is DeliveryState.PENDING)
        assert Heartbeat.objects.filter(request=delivery.request_id).exists() is still_beating

    @pytest.mark.parametrize(
        ("first", "then"),
        [(UNKNOWN, DeliveryState.UNCONFIRMED), (REFUSED_CONNECT, DeliveryState.UNDELIVERABLE)],
        ids=["an attempt ended unknown", "no attempt can have been taken"],
    )
    def test_closed_is_ambiguous_only_after_an_unknown_attempt(
        self, owe: Owe, first: Answer, then: DeliveryState
    ) -> None:
        delivery = owe()
        attempt(first, delivery.owed_at)

        assert attempt(Reply.CLOSED, delivery.owed_at + timedelta(seconds=5)) is then

    def test_closed_after_a_worker_s_death_is_unconfirmed(self, owe: Owe) -> None:
        delivery = owe()
        outbox.claim_next(now=delivery.owed_at)

        state = attempt(Reply.CLOSED, delivery.owed_at + settings.DELIVERY_LEASE)

        assert state is DeliveryState.UNCONFIRMED

    def test_accepted_after_an_unknown_attempt_is_delivered(self, owe: Owe) -> None:
        delivery = owe()
        attempt(UNKNOWN, delivery.owed_at)

        state = attempt(Reply.ACCEPTED, delivery.owed_at + timedelta(seconds=5))

        assert state is DeliveryState.DELIVERED

    def test_an_overtaken_attempt_changes_nothing(self, owe: Owe) -> None:
        delivery = owe()
        slow = outbox.claim_next(now=delivery.owed_at)
        late = delivery.owed_at + settings.DELIVERY_LEASE
        fast = outbox.claim_next(now=late)
        assert slow is not None
        assert fast is not None

        assert outbox.settle(slow, Answer(Reply.REFUSED), now=late) is None

        delivery.refresh_from_db()
        assert (delivery.state, delivery.in_flight) == (DeliveryState.PENDING, True)
        assert outbox.settle(fast, Answer(Reply.ACCEPTED), now=late) is DeliveryState.DELIVERED

    def test_that_aws_took_an_overtaken_attempt_settles_the_delivery(self, owe: Owe) -> None:
        delivery = owe(heartbeat_timeout_seconds=30)
        slow = outbox.claim_next(now=delivery.owed_at)
        late = delivery.owed_at + settings.DELIVERY_LEASE
        fast = outbox.claim_next(now=late)
        assert slow is not None
        assert fast is not None

        assert outbox.settle(slow, Answer(Reply.ACCEPTED), now=late) is DeliveryState.DELIVERED

        delivery.refresh_from_db()
        assert (delivery.state, delivery.in_flight) == (DeliveryState.DELIVERED, False)
        assert not Heartbeat.objects.exists()
        assert outbox.settle(fast, Answer(Reply.CLOSED), now=late) is None
        assert AuditEvent.objects.get(tag="delivery.delivered").facts["attempt"] == 1

    def test_an_unconfirmed_delivery_is_confirmed_by_a_late_answer(self, owe: Owe) -> None:
        delivery = owe()
        slow = outbox.claim_next(now=delivery.owed_at)
        late = delivery.owed_at + settings.DELIVERY_LEASE
        assert attempt(Reply.CLOSED, late) is DeliveryState.UNCONFIRMED
        assert slow is not None

        assert outbox.settle(slow, Answer(Reply.ACCEPTED), now=late) is DeliveryState.DELIVERED

        assert tags(delivery.request)[-2:] == ["delivery.unconfirmed", "delivery.delivered"]

    @pytest.mark.parametrize("reply", [Reply.CLOSED, Reply.REFUSED, Reply.UNAVAILABLE])
    @pytest.mark.parametrize("then", [Reply.CLOSED, Reply.REFUSED, Reply.ACCEPTED])
    def test_whatever_else_an_overtaken_attempt_hears_changes_nothing(
        self, owe: Owe, reply: Reply, then: Reply
    ) -> None:
        delivery = owe()
        slow = outbox.claim_next(now=delivery.owed_at)
        late = delivery.owed_at + settings.DELIVERY_LEASE
        state = attempt(then, late)
        assert slow is not None

        assert outbox.settle(slow, Answer(reply), now=late) is None

        delivery.refresh_from_db()
        assert delivery.state == state

    def test_what_was_refused_is_delivered_once_aws_says_late_that_it_took_it(
        self, owe: Owe
    ) -> None:
        delivery = owe()
        slow = outbox.claim_next(now=delivery.owed_at)
        late = delivery.owed_at + settings.DELIVERY_LEASE
        assert attempt(Reply.REFUSED, late) is DeliveryState.UNDELIVERABLE
        assert slow is not None

        assert outbox.settle(slow, Answer(Reply.ACCEPTED), now=late) is DeliveryState.DELIVERED

        assert tags(delivery.request)[-2:] == ["delivery.undeliverable", "delivery.delivered"]
        assert not Heartbeat.objects.exists()

    def test_an_attempt_is_settled_once(self, owe: Owe) -> None:
        claimed = outbox.claim_next(now=owe().owed_at)
        assert claimed is not None
        outbox.settle(claimed, REFUSED_CONNECT, now=claimed.owed_at)

        assert outbox.settle(claimed, Answer(Reply.ACCEPTED), now=claimed.owed_at) is None

    def test_after_a_refused_connection_the_next_attempt_succeeds(self, owe: Owe) -> None:
        delivery = owe()
        attempt(REFUSED_CONNECT, delivery.owed_at)

        state = attempt(Reply.ACCEPTED, delivery.owed_at + timedelta(seconds=1))

        assert state is DeliveryState.DELIVERED

    def test_throttling_puts_the_next_attempt_off_as_long_as_aws_asks(self, owe: Owe) -> None:
        delivery = owe()
        attempt(Answer(Reply.UNAVAILABLE, retry_after=timedelta(seconds=7)), delivery.owed_at)

        assert outbox.claim_next(now=delivery.owed_at + timedelta(seconds=6.9)) is None
        assert outbox.claim_next(now=delivery.owed_at + timedelta(seconds=7)) is not None

    def test_only_a_changed_reply_enters_the_history(self, owe: Owe) -> None:
        delivery = owe()
        for second in range(0, 40, 10):
            attempt(UNKNOWN, delivery.owed_at + timedelta(seconds=second))
        attempt(Reply.ACCEPTED, delivery.owed_at + timedelta(seconds=60))

        assert tags(delivery.request)[-2:] == ["delivery.retrying", "delivery.delivered"]
        assert tags(delivery.request).count("delivery.retrying") == 1

    def test_the_history_says_which_attempt_and_how_long_it_took(self, owe: Owe) -> None:
        delivery = owe()
        attempt(Answer(Reply.ACCEPTED, http_ms=31), delivery.owed_at)

        facts = AuditEvent.objects.get(tag="delivery.delivered").facts
        assert facts == {"attempt": 1, "reply": "accepted", "detail": "", "milliseconds": 31}

    def test_a_delivered_answer_makes_its_execution_worth_a_look(self, owe: Owe) -> None:
        delivery = owe(execution_arn="uuid/uuid")
        Execution.objects.update(next_look_at=None, looks=9)

        attempt(Reply.ACCEPTED, delivery.owed_at)

        execution = Execution.objects.get()
        assert execution.next_look_at == delivery.owed_at + timedelta(seconds=1)
        assert execution.looks == 0


class TestGivingUp:
    def test_there_is_a_last_attempt_when_the_callback_expires(self, owe: Owe) -> None:
        delivery = owe(timeout_seconds=600)
        shortly_before = delivery.give_up_at - timedelta(milliseconds=1)
        attempt(Answer(Reply.UNAVAILABLE, needs_mending=True), shortly_before)

        delivery.refresh_from_db()
        assert delivery.next_attempt_at == delivery.give_up_at
        assert attempt(Reply.ACCEPTED, delivery.give_up_at) is DeliveryState.DELIVERED

    @pytest.mark.parametrize(
        ("last", "state"),
        [
            (REFUSED_CONNECT, DeliveryState.UNDELIVERABLE),
            (UNKNOWN, DeliveryState.UNCONFIRMED),
        ],
    )
    def test_no_attempt_is_made_after_the_one_at_the_end(
        self, owe: Owe, last: Answer, state: DeliveryState
    ) -> None:
        delivery = owe(timeout_seconds=600, heartbeat_timeout_seconds=30)

        assert attempt(last, delivery.give_up_at) is state

        delivery.refresh_from_db()
        assert "The callback has expired; no more attempts." in delivery.detail
        assert not Heartbeat.objects.exists()

    def test_a_thousand_failures_before_that_are_no_reason_to_give_up(self, owe: Owe) -> None:
        delivery = owe()
        CallbackDelivery.objects.update(attempts=1000)

        assert attempt(REFUSED_CONNECT, delivery.owed_at) is DeliveryState.PENDING

    def test_without_a_timeout_aws_is_asked_for_366_days(self, owe: Owe) -> None:
        delivery = owe()

        assert delivery.give_up_at == delivery.request.received_at + timedelta(days=366)


class TestRedriving:
    def test_an_undeliverable_answer_is_owed_again_byte_for_byte(self, owe: Owe) -> None:
        delivery, operator = owe(), make_user(role="operator")
        body = delivery.body
        attempt(Reply.REFUSED, delivery.owed_at)

        lifecycle.redrive(delivery.pk, operator=operator, reason="The role was mended.")

        delivery.refresh_from_db()
        assert (delivery.state, delivery.settled_at) == (DeliveryState.PENDING, None)
        assert delivery.body == body
        assert attempt(Reply.ACCEPTED, delivery.next_attempt_at) is DeliveryState.DELIVERED
        event = AuditEvent.objects.get(tag="delivery.redriven")
        assert (event.actor, event.facts) == (operator, {"reason": "The role was mended."})

    def test_a_refusal_after_a_redrive_enters_the_history_too(self, owe: Owe) -> None:
        delivery = owe()
        attempt(Reply.REFUSED, delivery.owed_at)
        lifecycle.redrive(delivery.pk, operator=make_user(role="operator"), reason="Again.")
        delivery.refresh_from_db()
        attempt(Reply.REFUSED, delivery.next_attempt_at)

        assert tags(delivery.request)[-3:] == [
            "delivery.undeliverable",
            "delivery.redriven",
            "delivery.undeliverable",
        ]

    def test_an_attempt_from_before_a_redrive_cannot_settle_the_one_after(self, owe: Owe) -> None:
        delivery = owe()
        first = outbox.claim_next(now=delivery.owed_at)
        assert first is not None
        outbox.settle(first, Answer(Reply.REFUSED), now=delivery.owed_at)
        lifecycle.redrive(delivery.pk, operator=make_user(role="operator"), reason="Again.")
        delivery.refresh_from_db()
        outbox.claim_next(now=delivery.next_attempt_at)

        assert outbox.settle(first, Answer(Reply.CLOSED), now=delivery.next_attempt_at) is None

    @pytest.mark.parametrize("reply", [Reply.ACCEPTED, Reply.UNAVAILABLE])
    def test_only_an_undeliverable_answer_is_redriven(self, owe: Owe, reply: Reply) -> None:
        delivery = owe()
        attempt(reply, delivery.owed_at)

        with pytest.raises(errors.NotRedrivable):
            lifecycle.redrive(delivery.pk, operator=make_user(role="operator"), reason="Again.")

    def test_an_unconfirmed_answer_is_not_redriven(self, owe: Owe) -> None:
        delivery = owe()
        attempt(UNKNOWN, delivery.owed_at)
        attempt(Reply.CLOSED, delivery.owed_at + timedelta(seconds=5))

        with pytest.raises(errors.NotRedrivable):
            lifecycle.redrive(delivery.pk, operator=make_user(role="operator"), reason="Again.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["claim", "settle"])
def test_no_move_is_made_inside_somebody_else_s_transaction(verb: str) -> None:
    delivery = decided().delivery
    moves: dict[str, Callable[[], object]] = {
        "claim": lambda: outbox.claim_next(now=delivery.owed_at),
        "settle": lambda: outbox.settle(delivery, Answer(Reply.ACCEPTED), now=delivery.owed_at),
    }

    with transaction.atomic(), pytest.raises(RuntimeError, match=r"durable|for good"):
        moves[verb]()


@pytest.mark.django_db(transaction=True)
def test_settling_locks_the_request_before_the_delivery() -> None:
    """Who waits for the request's row holds nothing yet that others may wait for."""
    request = decided()
    claimed = outbox.claim_next()
    assert claimed is not None

    def settle() -> DeliveryState | None:
        try:
            return outbox.settle(claimed, Answer(Reply.ACCEPTED))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ApprovalRequest.objects.select_for_update().get(pk=request.pk)
            settling = pool.submit(settle)
            until_somebody_waits()
            CallbackDelivery.objects.select_for_update(nowait=True).get(pk=claimed.pk)
        assert settling.result(10) is DeliveryState.DELIVERED
