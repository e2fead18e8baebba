"""A hold is over: the request is closed as decided, and AWS is owed the frozen bytes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.lifecycle.outcome import OwedAnswer
from approvals.models import ApprovalRequest, AuditEvent, HeldAnswer
from approvals.states import AuditTag, CallbackVerb, RequestState

log = structlog.get_logger(__name__)


def conclude_due(*, now: datetime, limit: int = 1_000) -> int:
    """Conclude every hold that is over at NOW, the oldest first; return how many were.

    Safe to run at the same time as itself: a request that somebody else is at is passed
    over, and found again by the next sweep.
    """
    over = HeldAnswer.objects.over(now).values_list("request_id", "request__public_id")
    return sum(_conclude_or_log(*each, now=now) for each in list(over[:limit]))


@transaction.atomic(durable=True)
def conclude(request_id: int, *, now: datetime) -> bool:
    """Close one request whose hold is over at NOW; False if it is not, or somebody is at it."""
    request = desk.lock_if_free(request_id)
    if request is None or request.held_until is None or now < request.held_until:
        return False
    conclude_locked(request, at=max(now, database_now()))
    return True


def conclude_if_over(request: ApprovalRequest, *, at: datetime) -> bool:
    """Close REQUEST, whose row is locked, if its hold was over AT: nobody takes that back.

    For those who come between the end of a hold and the sweep.
    """
    if request.held_until is None or at < request.held_until:
        return False
    conclude_locked(request, at=at)
    return True


def conclude_locked(request: ApprovalRequest, *, at: datetime) -> None:
    """Close a held REQUEST as it was decided; the caller holds its row's lock."""
    held = HeldAnswer.objects.select_related("decision__reviewer").get(request=request)
    decision = held.decision
    answer = OwedAnswer(CallbackVerb(held.verb), held.body)
    state = RequestState(decision.verdict)
    desk.close(request, state, at=at, answer=answer, by=decision.reviewer)
    held.delete()
    AuditEvent.objects.record(
        AuditTag(f"request.{state}"),
        request,
        at=at,
        actor=decision.reviewer,
        held=str(decision.public_id),
        answer_sha256=answer.sha256,
    )


def _conclude_or_log(request_id: int, public_id: UUID, *, now: datetime) -> bool:
    try:
        return conclude(request_id, now=now)
    except Exception:  # one that fails must not hold up all others
        if not connection.is_usable():
            raise
        log.exception("hold_not_concluded", public_id=str(public_id))
        return False
