"""A decision is held, and nothing is owed to AWS until whoever made it cannot take it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import AlreadyClosed, NothingToUndo, NotYourDecision, Refusal
from approvals.keyring import SealBroken
from approvals.lifecycle import checks, desk, hold
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackCheck,
    CallbackDelivery,
    Decision,
    Heartbeat,
    HeldAnswer,
    Notice,
    User,
)
from approvals.states import AuditTag, Channel, NoticeKind, RequestState, Verdict, Withdrawal
from tests.factories import make_kind, make_request, make_source, make_user

pytestmark = pytest.mark.django_db(transaction=True)

TEN = timedelta(seconds=10)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


def ask(*people: User, undo: int = 10, **fields: Any) -> ApprovalRequest:
    make_kind(undo_seconds=undo)
    return make_request(*people, **fields)


def press(request: ApprovalRequest, reviewer: User, **wish: Any) -> lifecycle.Decided:
    """As a press in the browser."""
    wish = {"verdict": Verdict.APPROVED, "channel": Channel.BROWSER, "held": True, **wish}
    done = lifecycle.decide(request.pk, reviewer=reviewer, **wish)
    request.refresh_from_db()
    return done


def time_passes(request: ApprovalRequest, seconds: float = 10) -> ApprovalRequest:
    """The hold of REQUEST, and the time its last vote can be taken back, end that much sooner."""
    ApprovalRequest.objects.filter(pk=request.pk).exclude(held_until=None).update(
        held_until=request.held_until and request.held_until - timedelta(seconds=seconds)
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE approvals_decision SET undo_until = undo_until - %s WHERE request_id = %s",
            [timedelta(seconds=seconds), request.pk],
        )
    request.refresh_from_db()
    return request


def tags(request: ApprovalRequest) -> list[str]:
    return list(request.history.order_by("seq").values_list("tag", flat=True))


def nothing_is_held(request: ApprovalRequest) -> bool:
    request.refresh_from_db()
    return request.held_until is None and not HeldAnswer.objects.filter(request=request).exists()


def test_a_held_decision_leaves_its_request_pending_and_aws_unanswered(anna: User) -> None:
    request = ask(anna, heartbeat_timeout_seconds=30)

    done = press(request, anna, comment="Seen.")

    assert request.is_pending
    assert request.held_until == done.decision.undo_until == done.decision.decided_at + TEN
    assert done.delivery is None
    assert not CallbackDelivery.objects.exists()
    assert not Notice.objects.filter(kind=NoticeKind.HANDLED).exists()
    assert Heartbeat.objects.filter(request=request).exists()
    assert request.assignments.filter(open=True).exists()
    assert tags(request) == [AuditTag.RECEIVED, AuditTag.HELD]


def test_a_held_decision_takes_no_more_statements_than_another(
    anna: User, django_assert_num_queries: Any
) -> None:
    request = ask(anna, heartbeat_timeout_seconds=30)
    # Lock, look, write; BEGIN and COMMIT. No bell: nothing is to be sent.
    with django_assert_num_queries(3 + 2):
        lifecycle.decide(
            request.pk,
            verdict=Verdict.APPROVED,
            reviewer=anna,
            channel=Channel.BROWSER,
            held=True,
        )


def test_the_hold_ends_with_the_bytes_of_the_click(anna: User, bert: User) -> None:
    request = ask(anna, bert)
    done = press(request, anna, comment="Seen.")
    frozen = HeldAnswer.objects.get(request=request).body
    User.objects.filter(pk=anna.pk).update(username="annabel")

    assert lifecycle.conclude_due(now=database_now()) == 0
    assert lifecycle.conclude_due(now=time_passes(request).held_until or database_now()) == 1

    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert request.closed_at
    assert request.closed_at > done.decision.decided_at
    assert (request.delivery.verb, request.delivery.body) == ("succeed", frozen)
    told = json.loads(frozen)
    assert (told["decided_by"], told["comment"]) == (["anna"], "Seen.")
    assert told["decided_at"] == done.decision.decided_at.isoformat()
    assert nothing_is_held(request)
    assert not request.assignments.filter(open=True).exists()
    told_others = Notice.objects.filter(kind=NoticeKind.HANDLED)
    assert list(told_others.values_list("user", flat=True)) == [bert.pk]
    assert tags(request) == [AuditTag.RECEIVED, AuditTag.HELD, AuditTag.APPROVED]
    lines = list(request.history.order_by("seq"))
    assert lines[1].facts["answer_sha256"] == lines[2].facts["answer_sha256"]
    assert AuditEvent.objects.broken_at(request) is None


def test_it_is_concluded_once_however_often_a_sweep_comes_by(anna: User) -> None:
    request = ask(anna)
    press(request, anna)
    time_passes(request)

    found = [lifecycle.strike_due(now=database_now()) for _ in range(3)]

    assert found == [1, 0, 0]
    assert not lifecycle.conclude(request.pk, now=database_now())
    assert CallbackDelivery.objects.count() == 1


def test_a_held_rejection_ends_as_one(anna: User) -> None:
    request = ask(anna)
    press(request, anna, verdict=Verdict.REJECTED, comment="No.")
    time_passes(request)

    lifecycle.conclude_due(now=database_now())

    request.refresh_from_db()
    assert (request.state, request.delivery.verb) == ("rejected", "fail")


def test_taken_back_it_counts_for_nothing_and_may_be_decided_anew(anna: User) -> None:
    request = ask(anna)
    first = press(request, anna, comment="Too quick.").decision

    taken_back = lifecycle.undo(request.pk, reviewer=anna)

    assert taken_back == first
    assert nothing_is_held(request)
    assert request.is_pending
    first.refresh_from_db()
    assert first.retracted_at
    assert first.comment == "Too quick."
    assert not request.decisions.standing().exists()
    line = request.history.get(tag=AuditTag.UNDONE)
    assert line.facts == {"undone": str(first.public_id), "verdict": "approved"}
    assert (line.actor, line.at) == (anna, first.retracted_at)

    again = press(request, anna, verdict=Verdict.REJECTED, comment="Looked again.")
    assert again.decision.pk != first.pk
    lifecycle.conclude_due(now=time_passes(request).held_until or database_now())
    request.refresh_from_db()
    assert request.state == RequestState.REJECTED


def test_after_its_hold_it_is_too_late_also_before_the_sweep_comes_by(anna: User) -> None:
    request = ask(anna)
    press(request, anna)
    time_passes(request)

    with pytest.raises(NothingToUndo, match="Too late to take it back: your time for that"):
        lifecycle.undo(request.pk, reviewer=anna)
    lifecycle.conclude_due(now=database_now())
    with pytest.raises(NothingToUndo, match=r"Too late to take it back\. Anna approved this at"):
        lifecycle.undo(request.pk, reviewer=anna)

    assert not Decision.objects.exclude(retracted_at=None).exists()


def test_nobody_else_can_take_it_back(anna: User, bert: User) -> None:
    request = ask(anna, bert)
    press(request, anna)
    for other in (bert, make_user("olga", role="operator")):
        with pytest.raises(NotYourDecision, match="Only Anna can take that decision back"):
            lifecycle.undo(request.pk, reviewer=other)
    assert request.decisions.standing().count() == 1


def test_taken_back_twice_it_was_taken_back_once(anna: User) -> None:
    request = ask(anna)
    press(request, anna)
    lifecycle.undo(request.pk, reviewer=anna)

    with pytest.raises(NothingToUndo, match="no decision of yours"):
        lifecycle.undo(request.pk, reviewer=anna)

    assert tags(request).count(AuditTag.UNDONE) == 1


def test_whoever_comes_second_reads_who_decided_and_when_it_is_sent(anna: User, bert: User) -> None:
    request = ask(anna, bert)
    press(request, anna)
    olga = make_user("olga", role="operator")
    verbs: list[Callable[[], object]] = [
        lambda: press(request, bert),
        lambda: press(request, anna),
        lambda: press(request, bert, verdict=Verdict.REJECTED, comment="No.", held=False),
        lambda: lifecycle.claim(request.pk, reviewer=bert),
        lambda: lifecycle.force(
            request.pk, verdict=Verdict.REJECTED, operator=olga, reason="Now.",
            channel=Channel.BROWSER,
        ),
        lambda: lifecycle.reassign(
            request.pk, operator=olga, to=lifecycle.Asked(username="cora"), instead_of=None,
            reason="Away.",
        ),
    ]  # fmt: skip
    make_user("cora")
    for verb in verbs:
        with pytest.raises(AlreadyClosed, match=r"Anna approved this at .* unless they take it"):
            verb()
    time_passes(request)
    with pytest.raises(AlreadyClosed, match=r"Anna approved this at .*; it is being sent"):
        press(request, bert)
    assert Decision.objects.count() == 1


def test_a_vote_that_leaves_others_to_be_asked_can_be_taken_back_too(
    anna: User, bert: User
) -> None:
    request = ask(anna, bert, required_approvals=2)
    first = press(request, anna)
    assert (request.held_until, first.decision.undo_until) == (
        None,
        first.decision.decided_at + TEN,
    )

    lifecycle.undo(request.pk, reviewer=anna)

    done = press(request, bert)
    assert done.missing == 1  # a vote taken back counts for nothing


def test_a_vote_stands_once_somebody_decided_after_it(anna: User, bert: User) -> None:
    request = ask(anna, bert, required_approvals=2)
    press(request, anna)
    press(request, bert)
    assert request.held_until

    with pytest.raises(NothingToUndo, match="Bert approved this after you: yours stands"):
        lifecycle.undo(request.pk, reviewer=anna)

    lifecycle.undo(request.pk, reviewer=bert)
    assert [d.reviewer for d in request.decisions.standing()] == [anna]
    lifecycle.undo(request.pk, reviewer=anna)  # nobody is after it any more
    assert not request.decisions.standing().exists()


def test_a_vote_cannot_be_taken_back_later_than_a_decision_could(anna: User, bert: User) -> None:
    request = ask(anna, bert, required_approvals=2)
    press(request, anna)
    time_passes(request)
    with pytest.raises(NothingToUndo, match="your time for that has passed"):
        lifecycle.undo(request.pk, reviewer=anna)


def test_without_a_hold_asked_for_nothing_is_held(anna: User) -> None:
    request = ask(anna)
    press(request, anna, held=False)
    assert request.state == RequestState.APPROVED
    with pytest.raises(NothingToUndo):
        lifecycle.undo(request.pk, reviewer=anna)


def test_a_kind_without_a_window_holds_nothing(anna: User) -> None:
    request = ask(anna, undo=0)
    assert press(request, anna).delivery
    assert request.state == RequestState.APPROVED


@pytest.mark.parametrize(
    ("usual", "left", "held"),
    [
        (10, None, 10),
        (10, 3600, 10),
        (10, 120, 10),
        (30, 120, 30),
        (30, 119, 119 / 12),
        (10, 119, 119 / 12),
        (5, 119, 5),
        (10, 60, 5),
        (10, 30, 2.5),
        (10, 29.9, 0),
        (10, 1, 0),
        (0, 3600, 0),
    ],
)
def test_the_window_shrinks_near_the_deadline(
    anna: User, usual: int, left: float | None, held: float
) -> None:
    request = ask(anna, undo=usual)
    now = request.received_at
    request.answer_by = None if left is None else now + timedelta(seconds=left)
    assert hold.window(request, now) == timedelta(seconds=held)


def test_the_deadline_waits_for_a_hold(anna: User) -> None:
    request = ask(anna, timeout_seconds=600)
    press(request, anna)
    at = request.held_until
    ApprovalRequest.objects.filter(pk=request.pk).update(answer_by=at, clock_at=at)

    assert lifecycle.strike(request.pk, now=at)

    request.refresh_from_db()
    assert (request.state, request.delivery.verb) == ("approved", "succeed")


def test_a_deadline_that_comes_nearer_ends_the_hold_before_it(anna: User) -> None:
    request = ask(anna, undo=30, timeout_seconds=600)
    CallbackCheck.objects.create(request=request)
    press(request, anna)
    now = database_now()

    checks.found(request.pk, checks.Terms(12, None, request.sent_at), now=now)

    request.refresh_from_db()
    assert request.held_until == now
    assert lifecycle.conclude_due(now=now) == 1
    request.refresh_from_db()
    assert request.answer_by
    assert (request.state, request.closed_at < request.answer_by) == ("approved", True)


def test_a_deadline_that_stays_behind_the_hold_leaves_it(anna: User) -> None:
    request = ask(anna, timeout_seconds=600)
    CallbackCheck.objects.create(request=request)
    until = press(request, anna).decision.undo_until
    checks.found(request.pk, checks.Terms(60, None, request.sent_at), now=database_now())
    request.refresh_from_db()
    assert request.held_until == until


@pytest.mark.parametrize("why", list(Withdrawal))
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_withdrawal_lets_the_decision_fall(anna: User, why: Withdrawal, verdict: Verdict) -> None:
    request = ask(anna, heartbeat_timeout_seconds=30)
    decision = press(request, anna, verdict=verdict, comment="So.").decision

    assert lifecycle.withdraw(request.pk, why=why, reason="Over.")

    assert nothing_is_held(request)
    assert request.state == RequestState.WITHDRAWN
    decision.refresh_from_db()
    line = request.history.get(tag=AuditTag.WITHDRAWN)
    assert line.facts["undone"] == str(decision.public_id)
    assert decision.retracted_at == line.at
    owed = CallbackDelivery.objects.filter(request=request).first()
    told = why in {Withdrawal.SOURCE, Withdrawal.SUPERSEDED, Withdrawal.OPERATOR}
    assert bool(owed) is told
    if owed:
        assert (owed.verb, '"decided_by":[]' in json.loads(owed.body)["ErrorData"]) == (
            "fail",
            True,
        )
    assert lifecycle.conclude_due(now=database_now() + TEN) == 0


def test_a_newer_request_of_its_subject_lets_the_decision_fall(anna: User) -> None:
    request = ask(anna, subject="order/1")
    press(request, anna)

    make_request(anna, source=request.source, subject="order/1")

    assert nothing_is_held(request)
    assert request.withdrawal == Withdrawal.SUPERSEDED


def test_votes_of_others_stand_where_a_held_decision_falls(anna: User, bert: User) -> None:
    request = ask(anna, bert, required_approvals=2)
    press(request, anna)
    press(request, bert)
    lifecycle.withdraw(request.pk, why=Withdrawal.SOURCE, reason="Over.")
    assert [d.reviewer for d in request.decisions.standing()] == [anna]


def test_one_hold_that_cannot_be_concluded_holds_up_no_other(anna: User) -> None:
    broken, whole = ask(anna), ask(anna)
    for request in (broken, whole):
        press(request, anna)
        time_passes(request)
    body = HeldAnswer.body.fget
    assert body

    def unseal(held: HeldAnswer) -> bytes:
        if held.request_id == broken.pk:
            raise SealBroken("The key is lost.")
        return bytes(body(held))

    with mock.patch.object(HeldAnswer, "body", property(unseal)):
        assert lifecycle.conclude_due(now=database_now()) == 1
    assert lifecycle.conclude_due(now=database_now()) == 1


def test_one_that_the_database_refuses_holds_up_no_other(anna: User) -> None:
    refused, whole = ask(anna), ask(anna)
    for request in (refused, whole):
        press(request, anna)
        time_passes(request)
    close = desk.close

    def closing(request: ApprovalRequest, *words: Any, **facts: Any) -> None:
        if request.pk == refused.pk:
            raise IntegrityError
        close(request, *words, **facts)

    with mock.patch.object(desk, "close", closing):
        assert lifecycle.conclude_due(now=database_now()) == 1
    assert lifecycle.conclude_due(now=database_now()) == 1


def test_a_hold_is_written_whole_or_not_at_all(anna: User) -> None:
    request = ask(anna)
    with (
        mock.patch("approvals.lifecycle.writing._DECIDE.row", side_effect=IntegrityError),
        pytest.raises(IntegrityError),
    ):
        press(request, anna)
    assert nothing_is_held(request)
    assert not Decision.objects.exists()


def forbidden(sql: str, **values: Any) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except IntegrityError as error:
        return "is refused" in str(error)
    return False


def test_the_database_keeps_a_hold_and_what_was_decided(anna: User) -> None:
    request = ask(anna)
    decision = press(request, anna).decision
    its = {"id": request.pk, "decision": decision.pk}
    retract = "UPDATE approvals_decision SET retracted_at = now() WHERE id = %(decision)s"
    close = (
        "UPDATE approvals_approvalrequest SET state = 'rejected', closed_at = now() "
        "WHERE id = %(id)s"
    )
    for refused in [
        close,
        "UPDATE approvals_heldanswer SET verb = 'fail' WHERE request_id = %(id)s",
        "DELETE FROM approvals_heldanswer WHERE request_id = %(id)s",
        "TRUNCATE approvals_heldanswer",
        "UPDATE approvals_decision SET comment = 'x' WHERE id = %(decision)s",
        "UPDATE approvals_decision SET comment = 'x', retracted_at = now() WHERE id = %(decision)s",
        "UPDATE approvals_decision SET undo_until = NULL WHERE id = %(decision)s",
        "DELETE FROM approvals_decision WHERE id = %(decision)s",
    ]:
        assert forbidden(refused, **its), refused
    lifecycle.conclude_due(now=time_passes(request).held_until or database_now())
    assert forbidden(retract, **its)


def test_the_database_lets_a_vote_be_taken_back_in_time_only_and_once(
    anna: User, bert: User
) -> None:
    request = ask(anna, bert, required_approvals=2)
    decision = press(request, anna).decision
    retract = "UPDATE approvals_decision SET retracted_at = %(at)s WHERE id = %(id)s"
    its = {"id": decision.pk, "at": database_now()}
    time_passes(request, 100)
    assert forbidden(retract, **its)
    time_passes(request, -100)
    assert not forbidden(retract, **its)
    assert forbidden(retract, **(its | {"at": None}))
    assert forbidden(retract, **(its | {"at": database_now()}))


def test_the_database_takes_one_decision_of_each_that_stands(anna: User, bert: User) -> None:
    request = ask(anna, bert, required_approvals=2)
    press(request, anna)
    lifecycle.undo(request.pk, reviewer=anna)
    press(request, anna)
    lifecycle.undo(request.pk, reviewer=anna)
    press(request, anna)
    assert Decision.objects.filter(reviewer=anna).count() == 3
    twin = Decision.objects.get(retracted_at=None)
    twin.pk, twin.public_id = None, request.public_id
    with pytest.raises(IntegrityError, match="one_decision_per_reviewer"), transaction.atomic():
        twin.save(force_insert=True)


def test_refusals_leave_nothing_behind(anna: User, bert: User) -> None:
    request = ask(anna, bert)
    press(request, anna)
    before = (request.history.count(), Decision.objects.count())
    for verb in (lambda: press(request, bert), lambda: lifecycle.undo(request.pk, reviewer=bert)):
        with pytest.raises(Refusal):
            verb()
    assert (request.history.count(), Decision.objects.count()) == before


@pytest.mark.parametrize("word", ["source", "operator", "newer"])
def test_once_its_time_is_over_nobody_takes_a_decision_back(word: str) -> None:
    make_kind(undo_seconds=10)
    anna, olga, source = make_user(), make_user(role="operator"), make_source()
    request = make_request(anna, source=source, subject="NO-7", timeout_seconds=3_600)
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER, held=True
    )
    ApprovalRequest.objects.filter(pk=request.pk).update(held_until=database_now())

    if word == "source":
        assert not lifecycle.withdraw(request.pk, why=Withdrawal.SOURCE, reason="Changed.")
    elif word == "newer":
        make_request(anna, source=source, subject="NO-7", timeout_seconds=3_600)
    else:
        with pytest.raises(AlreadyClosed, match="it is being sent"):
            lifecycle.take_back(request.pk, operator=olga, reason="Closed today.")
        lifecycle.conclude_due(now=database_now())

    request.refresh_from_db()
    assert (request.state, request.withdrawal) == ("approved", "")
    assert request.delivery.verb == "succeed"
    assert not request.decisions.filter(retracted_at__isnull=False).exists()
