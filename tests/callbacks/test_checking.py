"""What really happened, by the history: proven or left open, and never guessed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals import lifecycle
from approvals.callbacks import checking, errands, outbox
from approvals.callbacks.gateway import Answer, Page, PastEvent, Said
from approvals.callbacks.history import Past
from approvals.callbacks.past import page
from approvals.clock import database_now
from approvals.models import (
    ApprovalRequest,
    CallbackCheck,
    CallbackDelivery,
    Execution,
    ExecutionHistory,
    Heartbeat,
)
from approvals.states import (
    CallbackFinding,
    DeliveryState,
    Reply,
    RequestState,
    Verdict,
    Withdrawal,
)
from tests.callbacks.conftest import decided, tags
from tests.factories import make_request, make_source, make_user
from tests.fakes.gateway import ScriptedGateway

ARN = "3f1d/9c2e"
DENIED = Answer(Reply.UNAVAILABLE, "AccessDeniedException: …", needs_mending=True)
UNKNOWN = Answer(Reply.CLOSED, "ResourceNotFoundException: …", not_found=True)
BUSY = Answer(Reply.UNAVAILABLE, "TooManyRequestsException: …")
OK = Answer(Reply.ACCEPTED)


def started(request: ApprovalRequest, **terms: Any) -> PastEvent:
    at = request.sent_at - timedelta(milliseconds=100)
    return PastEvent(1, "CallbackStarted", "cb", at=at, callback_id=request.callback_id, **terms)


def ended(word: str, at: datetime, **more: Any) -> PastEvent:
    return PastEvent(9, f"Callback{word}", "cb", at=at, **more)


def past(*events: PastEvent, answer: Answer = OK, is_whole: bool = True) -> Past:
    return Past(answer, events, is_whole=is_whole and answer is OK)


def tell(request: ApprovalRequest, what: Past) -> None:
    """Claim the reading that is due for REQUEST's execution and settle it with WHAT."""
    now = database_now()
    CallbackCheck.objects.exclude(next_attempt_at=None).update(next_attempt_at=now)
    ExecutionHistory.objects.exclude(next_read_at=None).update(next_read_at=now)
    (errand,) = errands.claim(now=now)
    checking.settle(errand, what, now=now)
    request.refresh_from_db()


def unconfirmed(
    verdict: Verdict = Verdict.APPROVED, *, execution_arn: str = ARN, **fields: Any
) -> CallbackDelivery:
    """An answer that AWS found the callback closed to, after an attempt that ended unknown."""
    return lose_track_of(decided(verdict, execution_arn=execution_arn, **fields))


def lose_track_of(request: ApprovalRequest) -> CallbackDelivery:
    """The answer owed for REQUEST, sent with an unknown end and then found too late."""
    for answer in (Answer(Reply.UNAVAILABLE, "…", applied_unknown=True), Answer(Reply.CLOSED)):
        claimed = outbox.claim_next(now=database_now() + timedelta(hours=1))
        assert claimed is not None
        outbox.settle(claimed, answer, now=database_now())
    request.delivery.refresh_from_db()
    assert request.delivery.state == DeliveryState.UNCONFIRMED
    return request.delivery


def said_by(delivery: CallbackDelivery, *, as_sent: bool = True) -> Said:
    """The fingerprint of DELIVERY's answer in a history; AWS may have written it otherwise."""
    text = delivery.body.decode()
    if delivery.verb == "fail":
        text = json.loads(text)["ErrorData"]
    document = json.loads(text) if text.startswith("{") else {}
    sha256 = hashlib.sha256(text.encode()).hexdigest() if as_sent else "0" * 64
    request_id, decision_id = (document.get(name) or "" for name in ("request_id", "decision_id"))
    return Said(sha256, request_id, decision_id, is_json=bool(document))


def state_of(delivery: CallbackDelivery) -> str:
    delivery.refresh_from_db()
    return str(delivery.state)


@pytest.mark.django_db
class TestUnconfirmed:
    @pytest.mark.parametrize("as_sent", [True, False])
    @pytest.mark.parametrize(
        ("verdict", "word"), [(Verdict.APPROVED, "Succeeded"), (Verdict.REJECTED, "Failed")]
    )
    def test_our_own_document_in_the_history_is_our_answer_taken(
        self, verdict: Verdict, word: str, as_sent: bool
    ) -> None:
        owed = unconfirmed(verdict)
        at = owed.owed_at + timedelta(milliseconds=300)

        mine = ended(word, at, said=said_by(owed, as_sent=as_sent))
        tell(owed.request, past(mine, started(owed.request)))

        assert state_of(owed) == DeliveryState.DELIVERED
        assert owed.settled_at is not None
        assert owed.settled_at >= owed.owed_at
        assert "history shows this answer" in owed.detail
        assert tags(owed.request)[-1] == "delivery.delivered"

    def test_another_s_answer_leaves_ours_undeliverable_and_says_so(self) -> None:
        owed = unconfirmed()
        other = ended("Succeeded", owed.owed_at, said=Said("0" * 64, "another", "decision"))

        tell(owed.request, past(other, started(owed.request)))

        assert state_of(owed) == DeliveryState.UNDELIVERABLE
        assert owed.detail.startswith("Answered outside the portal: the callback succeeded at ")
        assert tags(owed.request)[-1] == "delivery.undeliverable"

    def test_a_document_of_the_same_request_but_another_decision_is_not_ours(self) -> None:
        owed = unconfirmed()
        said = Said("0" * 64, said_by(owed).request_id, "another")

        tell(owed.request, past(ended("Succeeded", owed.owed_at, said=said), started(owed.request)))

        assert state_of(owed) == DeliveryState.UNDELIVERABLE

    def test_a_failure_is_not_our_success_even_with_our_words(self) -> None:
        owed = unconfirmed()

        tell(
            owed.request,
            past(ended("Failed", owed.owed_at, said=said_by(owed)), started(owed.request)),
        )

        assert state_of(owed) == DeliveryState.UNDELIVERABLE

    @pytest.mark.parametrize(
        ("type_", "words"),
        [("Callback.Timeout", "timed out at AWS"), ("Callback.Heartbeat", "no heartbeat in time")],
    )
    def test_a_callback_that_timed_out_before_is_told_in_words(
        self, type_: str, words: str
    ) -> None:
        owed = unconfirmed()

        tell(
            owed.request,
            past(ended("TimedOut", owed.owed_at, error_type=type_), started(owed.request)),
        )

        assert state_of(owed) == DeliveryState.UNDELIVERABLE
        assert words in owed.detail

    @pytest.mark.parametrize(
        ("text", "state"),
        [("approve", DeliveryState.DELIVERED), ("approve ", DeliveryState.UNDELIVERABLE)],
    )
    def test_verbatim_words_are_compared_byte_by_byte(
        self, text: str, state: DeliveryState
    ) -> None:
        owed = unconfirmed(approve_with="approve")
        said = Said(hashlib.sha256(text.encode()).hexdigest())

        tell(owed.request, past(ended("Succeeded", owed.owed_at, said=said), started(owed.request)))

        assert state_of(owed) == state

    @pytest.mark.parametrize(
        ("what", "why"),
        [
            (past(answer=DENIED), "AccessDeniedException"),
            (past(answer=BUSY), "TooManyRequestsException"),
            (past(answer=UNKNOWN), "ResourceNotFoundException"),
            (past(), "does not hold this callback"),
            (past(is_whole=False), "longer than the portal reads"),
        ],
    )
    def test_what_cannot_be_read_settles_nothing_and_says_why(self, what: Past, why: str) -> None:
        owed = unconfirmed()
        before = tags(owed.request)

        tell(owed.request, what)

        assert state_of(owed) == DeliveryState.UNCONFIRMED
        assert why in owed.history_says == owed.detail
        assert tags(owed.request) == before
        assert ExecutionHistory.objects.get().next_read_at is not None

    def test_without_an_execution_no_history_can_tell_and_that_is_said(self) -> None:
        owed = unconfirmed(execution_arn="")

        assert "No execution is known" in owed.detail
        assert owed.history_says == ""
        assert errands.claim(now=database_now() + timedelta(days=1)) == []

    def test_an_end_whose_words_aws_hides_settles_nothing(self) -> None:
        owed = unconfirmed()

        tell(owed.request, past(ended("Succeeded", owed.owed_at), started(owed.request)))

        assert state_of(owed) == DeliveryState.UNCONFIRMED
        assert owed.history_says == owed.detail != ""

    @pytest.mark.parametrize(
        ("said", "state"),
        [
            (Said("0" * 64, is_whole=False), DeliveryState.UNCONFIRMED),
            (Said("0" * 64, is_whole=False, is_json=True), DeliveryState.UNDELIVERABLE),
        ],
    )
    def test_a_part_of_an_answer_proves_nothing_unless_it_parses(
        self, said: Said, state: DeliveryState
    ) -> None:
        owed = unconfirmed()

        tell(owed.request, past(ended("Succeeded", owed.owed_at, said=said), started(owed.request)))

        assert state_of(owed) == state

    def test_an_error_of_another_type_is_not_ours_however_little_is_shown(self) -> None:
        owed = unconfirmed(Verdict.REJECTED)

        tell(
            owed.request,
            past(ended("Failed", owed.owed_at, error_type="Boom"), started(owed.request)),
        )

        assert state_of(owed) == DeliveryState.UNDELIVERABLE

    def test_an_error_of_ours_shown_without_its_data_proves_nothing(self) -> None:
        owed = unconfirmed(Verdict.REJECTED)
        error_type = json.loads(owed.body)["ErrorType"]
        shown = {"Error": {"Payload": {"ErrorType": error_type, "ErrorMessage": "No."}}}
        raw = {"EventType": "CallbackFailed", "EventId": 9, "Id": "cb"}
        (event,) = page({"Events": [raw | {"CallbackFailedDetails": shown}]}).events

        tell(owed.request, past(event, started(owed.request)))

        assert state_of(owed) == DeliveryState.UNCONFIRMED

    def test_what_was_read_without_results_judges_no_answer_that_is_lost_meanwhile(self) -> None:
        request = decided(Verdict.REJECTED, execution_arn=ARN)
        ExecutionHistory.objects.read_soon(request.execution_id, at=request.received_at)
        (errand,) = errands.claim(now=database_now())
        owed = lose_track_of(request)
        errand, now = replace(errand, requests=(request,)), database_now()

        another = ended("Succeeded", owed.owed_at)
        checking.settle(errand, past(another, started(request)), now=now)

        assert (errand.with_results, state_of(owed)) == (False, DeliveryState.UNCONFIRMED)
        (next_errand,) = errands.claim(now=now + timedelta(seconds=5))
        assert next_errand.with_results

    def test_a_callback_still_open_in_the_history_settles_nothing(self) -> None:
        owed = unconfirmed()

        tell(owed.request, past(started(owed.request)))

        assert state_of(owed) == DeliveryState.UNCONFIRMED
        assert owed.history_says == owed.detail != ""

    def test_an_accept_that_came_late_is_not_overruled(self) -> None:
        owed = unconfirmed()
        owed.attempts = 1  # the one that ended unknown
        outbox.settle(owed, Answer(Reply.ACCEPTED), now=database_now())

        done = outbox.confirm(owed.pk, DeliveryState.UNDELIVERABLE, "Too late.", now=database_now())

        assert (done, state_of(owed)) == (False, DeliveryState.DELIVERED)

    def test_a_redriven_answer_is_not_settled_by_an_older_history(self) -> None:
        owed = unconfirmed()
        outbox.confirm(owed.pk, DeliveryState.UNDELIVERABLE, "Elsewhere.", now=database_now())
        operator = make_user(role="operator")
        lifecycle.redrive(owed.pk, operator=operator, reason="Once more.")

        done = outbox.confirm(owed.pk, DeliveryState.DELIVERED, "Ours.", now=database_now())

        assert (done, state_of(owed)) == (False, DeliveryState.PENDING)


def verified(**fields: Any) -> ApprovalRequest:
    source = make_source(verify_callbacks=True)
    return make_request(make_user(), source=source, execution_arn=ARN, **fields)


def check_of(request: ApprovalRequest) -> CallbackCheck:
    return CallbackCheck.objects.get(request=request)


@pytest.mark.django_db
class TestAtReceipt:
    def test_only_a_source_that_verifies_has_its_callbacks_checked(self) -> None:
        checked = verified()
        make_request(make_user(), execution_arn="another/1")
        make_request(make_user(), source=checked.source)  # no execution: nothing to ask

        assert CallbackCheck.objects.get().request_id == checked.pk

    def test_a_callback_that_exists_is_found_and_its_clocks_stay(self) -> None:
        request = verified(timeout_seconds=600, heartbeat_timeout_seconds=60)
        before = (request.answer_by, request.callback_expires_at, request.queue_at)

        terms = {"timeout_seconds": 600, "heartbeat_timeout_seconds": 60}
        tell(request, past(started(request, **terms)))

        check = check_of(request)
        assert (check.finding, check.next_attempt_at) == (CallbackFinding.FOUND, None)
        assert (check.timeout_seconds, check.heartbeat_timeout_seconds) == (600, 60)
        assert (request.answer_by, request.callback_expires_at, request.queue_at) == before
        assert tags(request)[-1] == "callback.checked"

    @pytest.mark.parametrize("said", [0, 3600])
    def test_a_shorter_timeout_at_aws_brings_every_clock_nearer(self, said: int) -> None:
        request = verified(timeout_seconds=said)

        tell(request, past(started(request, timeout_seconds=100)))

        start = request.sent_at - timedelta(milliseconds=100)
        assert request.callback_expires_at == start + timedelta(seconds=100)
        assert request.answer_by == start + timedelta(seconds=90)
        assert (request.clock_at, request.queue_at) == (request.answer_by, request.answer_by)
        queued = request.assignments.values_list("queue_at", flat=True)
        assert list(queued) == [request.answer_by]

    @pytest.mark.parametrize("seconds", [1, 2, 3])
    def test_the_shortest_timeouts_keep_the_deadline_before_aws_s_own(self, seconds: int) -> None:
        request = verified(timeout_seconds=seconds + 1)

        tell(request, past(started(request, timeout_seconds=seconds)))

        assert request.answer_by is not None
        assert request.callback_expires_at is not None
        assert request.answer_by < request.callback_expires_at

    def test_a_longer_timeout_at_aws_moves_nothing(self) -> None:
        request = verified(timeout_seconds=100)
        before = (request.answer_by, request.callback_expires_at)

        tell(request, past(started(request, timeout_seconds=3600)))

        assert (request.answer_by, request.callback_expires_at) == before

    @pytest.mark.parametrize("promised", [0, 600])
    def test_a_shorter_heartbeat_timeout_at_aws_is_beaten_in_time(self, promised: int) -> None:
        request = verified(heartbeat_timeout_seconds=promised)

        tell(request, past(started(request, heartbeat_timeout_seconds=60)))

        beat = Heartbeat.objects.get(request=request)
        assert beat.interval == timedelta(seconds=20)
        assert beat.next_beat_at <= database_now()
        assert request.heartbeat_timeout_seconds == 60

    def test_what_aws_does_not_say_changes_nothing(self) -> None:
        request = verified(timeout_seconds=600, heartbeat_timeout_seconds=60)

        tell(request, past(started(request)))

        check = check_of(request)
        assert check.finding == CallbackFinding.FOUND
        assert (check.timeout_seconds, check.heartbeat_timeout_seconds) == (None, None)
        assert Heartbeat.objects.get(request=request).interval == timedelta(seconds=20)

    @pytest.mark.parametrize(
        ("word", "why", "words"),
        [
            ("Succeeded", Withdrawal.ELSEWHERE, "Answered outside the portal"),
            ("Failed", Withdrawal.ELSEWHERE, "Answered outside the portal"),
            ("TimedOut", Withdrawal.CLOSED_AT_AWS, "timed out at AWS"),
        ],
    )
    def test_a_callback_that_is_closed_takes_its_request_back(
        self, word: str, why: Withdrawal, words: str
    ) -> None:
        request = verified(heartbeat_timeout_seconds=60)

        tell(request, past(ended(word, request.received_at), started(request)))

        assert (request.state, request.withdrawal) == (RequestState.WITHDRAWN, why)
        assert words in request.closed_because
        assert check_of(request).finding == CallbackFinding.CLOSED
        assert not Heartbeat.objects.exists()

    @pytest.mark.parametrize("answer", [OK, UNKNOWN])
    def test_what_is_missing_after_some_tries_is_a_warning_and_stays_open(
        self, answer: Answer
    ) -> None:
        request = verified()
        tell(request, past(answer=answer))
        assert check_of(request).finding == CallbackFinding.PENDING

        CallbackCheck.objects.update(attempts=4)
        tell(request, past(answer=answer))

        check = check_of(request)
        assert (check.finding, check.next_attempt_at) == (CallbackFinding.MISSING, None)
        assert request.is_pending

    def test_what_the_portal_may_not_read_is_said_and_asked_for_seldom(self) -> None:
        request = verified(heartbeat_timeout_seconds=60)

        tell(request, past(answer=DENIED))

        check = check_of(request)
        assert check.finding == CallbackFinding.UNREADABLE
        assert "AccessDenied" in check.detail
        assert check.next_attempt_at is not None
        assert check.next_attempt_at > database_now() + timedelta(minutes=50)
        assert request.is_pending
        assert Heartbeat.objects.exists()

    def test_a_mended_permission_is_found_out(self) -> None:
        request = verified()
        tell(request, past(answer=DENIED))

        tell(request, past(started(request)))

        assert check_of(request).finding == CallbackFinding.FOUND

    def test_too_long_a_history_is_not_taken_for_a_missing_callback(self) -> None:
        request = verified()

        tell(request, past(is_whole=False))

        assert check_of(request).finding == CallbackFinding.UNREADABLE

    def test_an_answer_given_meanwhile_is_not_called_somebody_else_s(self) -> None:
        source = make_source(verify_callbacks=True)
        request = decided(source=source, execution_arn=ARN)

        tell(request, past(ended("Succeeded", database_now()), started(request)))

        assert request.state == RequestState.APPROVED
        assert "outside" not in check_of(request).detail


@pytest.mark.django_db
class TestWhoClosed:
    def ask(self, request: ApprovalRequest) -> bool:
        with transaction.atomic():
            return lifecycle.checks.ask_who_closed(
                lifecycle.desk.lock(request.pk), now=database_now()
            )

    def test_who_answered_elsewhere_is_told_of_a_request_that_aws_has_closed(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        assert self.ask(request)

        tell(request, past(ended("Failed", database_now()), started(request)))

        assert request.withdrawal == Withdrawal.ELSEWHERE
        assert "the callback failed at" in request.closed_because

    def test_a_history_that_denies_itself_leaves_what_aws_said(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        self.ask(request)

        tell(request, past(answer=DENIED))

        assert request.withdrawal == Withdrawal.CLOSED_AT_AWS
        assert "timed out, or was answered elsewhere" in request.closed_because

    def test_a_history_that_lags_is_asked_some_times_more(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        self.ask(request)

        tell(request, past(started(request)))
        assert request.is_pending
        tell(request, past(started(request)))
        tell(request, past(started(request)))

        assert request.withdrawal == Withdrawal.CLOSED_AT_AWS

    def test_without_an_execution_there_is_nobody_to_ask(self) -> None:
        assert not self.ask(make_request(make_user()))


@pytest.mark.django_db
class TestSteps:
    def test_steps_are_kept_and_trouble_keeps_them(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        execution = Execution.objects.get()
        ExecutionHistory.objects.read_soon(execution.pk, at=request.received_at)
        step = PastEvent(2, "StepSucceeded", "s", "ship", at=request.received_at)

        tell(request, past(step, started(request)))
        ExecutionHistory.objects.read_soon(execution.pk, at=request.received_at)
        tell(request, past(answer=BUSY))

        row = ExecutionHistory.objects.get()
        assert [s["name"] for s in row.steps] == ["", "ship"]
        assert row.trouble == BUSY.detail
        assert request.callback_id not in json.dumps(row.steps)

    def test_while_somebody_is_asked_it_is_read_again_and_then_no_more(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        ExecutionHistory.objects.read_soon(Execution.objects.get().pk, at=request.received_at)
        tell(request, past(started(request)))
        assert ExecutionHistory.objects.get().next_read_at is not None

        tell(request, past(ended("Succeeded", database_now()), started(request)))

        assert request.withdrawal == Withdrawal.ELSEWHERE
        assert ExecutionHistory.objects.get().next_read_at is None

    def test_a_wish_that_came_while_reading_is_not_forgotten(self) -> None:
        request = make_request(make_user(), execution_arn=ARN)
        execution = Execution.objects.get()
        ExecutionHistory.objects.read_soon(execution.pk, at=request.received_at)
        (errand,) = errands.claim(now=database_now())
        ExecutionHistory.objects.read_soon(execution.pk, at=request.received_at)

        checking.settle(errand, past(answer=Answer(Reply.REFUSED)), now=database_now())

        assert ExecutionHistory.objects.get().next_read_at == request.received_at


@pytest.mark.django_db
def test_steps_wait_for_answers_that_may_have_been_taken_and_for_checks() -> None:
    delivery = unconfirmed()
    source = delivery.source
    asked = delivery.request.execution
    assert asked is not None
    now = database_now()
    for name in ("older", "oldest"):
        shown = Execution.objects.create(source=source, arn=f"{ARN}{name}")
        ExecutionHistory.objects.create(execution=shown, next_read_at=now - timedelta(hours=1))
    ExecutionHistory.objects.filter(execution=asked).update(next_read_at=now)
    CallbackCheck.objects.update(next_attempt_at=None)

    first, then = (errands.claim(now=now) for _ in range(2))

    assert [each.execution for each in first] == [asked]
    assert [each.execution.arn for each in then] in ([f"{ARN}older"], [f"{ARN}oldest"])


@pytest.mark.django_db(transaction=True)
def test_a_sweep_reads_what_is_due_source_by_source(settings: Any) -> None:
    settings.HISTORIES_PER_SECOND = 1000
    requests = [verified() for _ in range(3)]
    gateway = ScriptedGateway(OK)
    gateway.histories[ARN] = [Page(OK, tuple(started(request) for request in requests))]

    tally = checking.read_due(gateway)

    assert tally[Reply.ACCEPTED] == 3
    assert {address.source_id for address in gateway.addresses} == {r.source_id for r in requests}
    assert set(CallbackCheck.objects.values_list("finding", flat=True)) == {CallbackFinding.FOUND}
