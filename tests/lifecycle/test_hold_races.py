"""Real moments, real connections: a hold ends in one way, whoever comes at the same time."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import AlreadyClosed, NothingToUndo
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    HeldAnswer,
    User,
)
from approvals.states import AuditTag, Channel, RequestState, Verdict, Withdrawal
from tests.factories import make_kind, make_request, make_user
from tests.ladders.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


def press(request: ApprovalRequest, person: User, verdict: Verdict = Verdict.APPROVED) -> str:
    lifecycle.decide(
        request.pk, verdict=verdict, reviewer=person, channel=Channel.BROWSER, comment="So.",
        held=True,
    )  # fmt: skip
    return "held"


def undo(request: ApprovalRequest, person: User) -> str:
    lifecycle.undo(request.pk, reviewer=person)
    return "undone"


def word(act: Callable[[], object]) -> str:
    """What ACT came to; the name of its refusal."""
    try:
        return str(act())
    except (AlreadyClosed, NothingToUndo) as refusal:
        return type(refusal).__name__


def held(*people: User) -> ApprovalRequest:
    make_kind(undo_seconds=10)
    request = make_request(*people)
    press(request, people[0])
    return ApprovalRequest.objects.get(pk=request.pk)


def check_whole(request: ApprovalRequest) -> None:
    """Held, or open, or closed with one answer; its history holds and says so."""
    request.refresh_from_db()
    assert AuditEvent.objects.broken_at(request) is None
    owed = CallbackDelivery.objects.filter(request=request).count()
    frozen = HeldAnswer.objects.filter(request=request).count()
    assert (request.held_until is not None) == (frozen == 1)
    if request.is_pending:
        assert owed == 0
    ends = request.history.filter(
        tag__in=[AuditTag.APPROVED, AuditTag.REJECTED, AuditTag.WITHDRAWN]
    )
    assert ends.count() == (not request.is_pending)


def test_of_undo_and_the_end_of_the_hold_exactly_one_wins() -> None:
    anna = make_user("anna")
    outcomes = set()
    for number in range(ROUNDS):
        request = held(anna)
        # As near to the end of the hold as this machine brings two connections.
        end = database_now() + timedelta(milliseconds=20 * number)
        ApprovalRequest.objects.filter(pk=request.pk).update(held_until=end)

        def sweep(request: ApprovalRequest = request, end: object = end) -> str:
            while not lifecycle.conclude(request.pk, now=database_now()):
                if not ApprovalRequest.objects.filter(pk=request.pk, held_until=end).exists():
                    return "nothing"
            return "concluded"

        came_to = at_once([sweep, lambda r=request: word(lambda: undo(r, anna))])

        assert came_to in (["concluded", "NothingToUndo"], ["nothing", "undone"])
        outcomes.add(tuple(came_to))
        check_whole(request)
        assert request.is_pending == (came_to[1] == "undone")
    assert len(outcomes) == 2, "one side won every time: this was no race"


def test_of_many_who_undo_at_once_one_does() -> None:
    anna = make_user("anna")
    request = held(anna)
    came_to = at_once([lambda: word(lambda: undo(request, anna))] * 6)
    assert sorted(came_to) == ["NothingToUndo"] * 5 + ["undone"]
    check_whole(request)
    assert request.history.filter(tag=AuditTag.UNDONE).count() == 1


def test_of_many_sweeps_one_concludes() -> None:
    anna = make_user("anna")
    request = held(anna)
    ApprovalRequest.objects.filter(pk=request.pk).update(held_until=database_now())
    came_to = at_once([lambda: lifecycle.conclude_due(now=database_now())] * 6)
    assert sum(came_to) == 1
    check_whole(request)
    assert request.state == "approved"


def test_undo_while_another_decides_leaves_one_decision_held_or_none_lost() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    for _ in range(ROUNDS):
        request = held(anna, bert)

        came_to = at_once(
            [
                lambda r=request: word(lambda: undo(r, anna)),
                lambda r=request: word(lambda: press(r, bert, Verdict.REJECTED)),
            ]
        )

        # Anna's goes first, or Bert is told that she was faster; never both, never neither.
        assert came_to in (["undone", "held"], ["undone", "AlreadyClosed"])
        check_whole(request)
        standing = [d.reviewer for d in request.decisions.standing()]
        assert standing == ([bert] if came_to[1] == "held" else [])
        assert (request.held_until is not None) == (came_to[1] == "held")


def test_of_all_who_press_at_once_one_is_held() -> None:
    people = [make_user() for _ in range(6)]
    make_kind(undo_seconds=10)
    request = make_request(*people)
    came_to = at_once([lambda p=person: word(lambda: press(request, p)) for person in people])
    assert sorted(came_to) == ["AlreadyClosed"] * 5 + ["held"]
    check_whole(request)
    assert Decision.objects.filter(request=request).count() == 1


def test_withdrawn_when_the_hold_is_over_what_was_decided_stands() -> None:
    anna = make_user("anna")
    for _ in range(ROUNDS):
        request = held(anna)
        ApprovalRequest.objects.filter(pk=request.pk).update(held_until=database_now())

        _, withdrawn = at_once(
            [
                lambda r=request: lifecycle.conclude(r.pk, now=database_now()),
                lambda r=request: lifecycle.withdraw(r.pk, why=Withdrawal.SOURCE, reason="Over."),
            ]
        )

        assert not withdrawn
        check_whole(request)
        assert request.state == RequestState.APPROVED
        assert CallbackDelivery.objects.filter(request=request).count() == 1


def _press_and_die(request_id: int, reviewer_id: int) -> None:
    connections.close_all()
    reviewer = User.objects.get(pk=reviewer_id)
    lifecycle.decide(
        request_id, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER, held=True
    )
    os.kill(os.getpid(), signal.SIGKILL)


def test_who_dies_right_after_the_click_loses_nothing() -> None:
    anna = make_user("anna")
    make_kind(undo_seconds=10)
    request = make_request(anna)
    connection.close()
    child = multiprocessing.get_context("fork").Process(
        target=_press_and_die, args=(request.pk, anna.pk)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL

    frozen = HeldAnswer.objects.get(request=request).body
    until = ApprovalRequest.objects.values_list("held_until", flat=True).get(pk=request.pk)
    assert until is not None
    assert lifecycle.strike_due(now=until) == 1

    check_whole(request)
    assert request.delivery.body == frozen
