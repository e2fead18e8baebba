"""What AWS says of a request's callback: its real clocks, or that it no longer waits.

A callback is checked at receipt where its source wants that, and whenever AWS is heard to
have closed one that still waits for people: the history then tells who did. Clocks
only ever move nearer; nothing is taken back for what could not be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from approvals import doorbell
from approvals.lifecycle import desk
from approvals.lifecycle.draft import margin
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackCheck,
    CallbackDelivery,
    Heartbeat,
)
from approvals.states import AuditTag, CallbackFinding, DeliveryState, Withdrawal

CLOSED_AT_AWS = gettext_noop(
    "AWS no longer waits for an answer: the callback timed out, or was answered elsewhere."
)
#: So long a request that AWS no longer waits for may stand open while its history is asked.
ASK_WITHIN = timedelta(seconds=15)
#: Nearer by less than this is the way a message takes, not another clock.
_SAME = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the function set for its callback, in seconds; None: AWS does not say."""

    timeout_seconds: int | None = None
    heartbeat_timeout_seconds: int | None = None
    started_at: datetime | None = None


@transaction.atomic(durable=True)
def found(request_id: int, terms: Terms, *, now: datetime) -> None:
    """AWS waits for the callback on these TERMS: stricter ones than its sender named count."""
    request = desk.lock(request_id)
    check = _lock(request_id)
    if check is None or check.finding == CallbackFinding.FOUND:
        return
    check.timeout_seconds = terms.timeout_seconds
    check.heartbeat_timeout_seconds = terms.heartbeat_timeout_seconds
    moved = _move_clocks(request, terms) if request.is_pending else []
    if request.is_pending or _is_owed(request_id):
        moved += _beat_sooner(request, terms.heartbeat_timeout_seconds, now)
    if request.held_until and request.answer_by and request.answer_by <= request.held_until:
        request.held_until = now  # no time is left for second thoughts
        moved.append("held_until")
    if moved:
        request.save(update_fields=moved)
    if "queue_at" in moved:
        request.assignments.update(queue_at=request.queue_at)
    _settle(check, CallbackFinding.FOUND, "", now)
    _record(check, request, now, moved=moved)


@transaction.atomic(durable=True)
def closed(request_id: int, why: Withdrawal, sentence: str, *, now: datetime) -> bool:
    """The history says that the callback is closed: nobody waits for REQUEST_ID any more.

    WHY: ELSEWHERE or CLOSED_AT_AWS. False if it had been closed before.
    """
    request = desk.lock(request_id)
    check = _lock(request_id)
    if check and (check.next_attempt_at or check.finding != CallbackFinding.CLOSED):
        detail = (
            sentence if request.is_pending else gettext_noop("It was closed when AWS was asked.")
        )
        _settle(check, CallbackFinding.CLOSED, detail, now)
        _record(check, request, now)
    if not request.is_pending:
        return False
    withdraw_locked(request, why=why, reason=sentence, at=now)
    return True


@transaction.atomic(durable=True)
def unsettled(
    request_id: int,
    finding: CallbackFinding,
    detail: str,
    *,
    now: datetime,
    again_at: datetime | None = None,
) -> None:
    """The callback is MISSING, or the history UNREADABLE: said so, and nothing else.

    AGAIN_AT: when to ask once more. A callback that AWS was heard to have closed is taken
    back for what is known.
    """
    request = desk.lock(request_id)
    check = _lock(request_id)
    if check is None or check.next_attempt_at is None:
        return
    if check.finding == CallbackFinding.CLOSED:
        _settle(check, CallbackFinding.CLOSED, detail, now)
        _withdraw_as_known(request, now)
        return
    is_new = check.finding != finding
    _settle(check, finding, detail, now)
    check.next_attempt_at = again_at if request.is_pending else None
    check.save(update_fields=["next_attempt_at"])
    if is_new:
        _record(check, request, now)


def ask_who_closed(request: ApprovalRequest, *, now: datetime) -> bool:
    """AWS no longer waits for a locked REQUEST: whether its history is being asked why.

    It stays pending until then, for ASK_WITHIN at most. False where there is nothing to
    ask, or nobody has answered in that time: whoever knows that much takes it back.
    """
    if not request.is_pending or request.execution_id is None:
        return False
    check = _lock(request.pk)
    if check and check.finding == CallbackFinding.CLOSED:
        asked_at = check.checked_at or now
        return check.next_attempt_at is not None and now < asked_at + ASK_WITHIN
    asked = {
        "finding": CallbackFinding.CLOSED,
        "checked_at": now,
        "next_attempt_at": now,
        "attempts": 0,
    }
    CallbackCheck.objects.update_or_create(request=request, defaults=asked)
    doorbell.ring(doorbell.READ_HISTORIES)
    return True


def _lock(request_id: int) -> CallbackCheck | None:
    return CallbackCheck.objects.select_for_update().filter(pk=request_id).first()


def _settle(check: CallbackCheck, finding: CallbackFinding, detail: str, now: datetime) -> None:
    check.finding = finding
    check.detail = detail[:200]
    check.checked_at = now
    check.next_attempt_at = None
    check.save(update_fields=[
        "finding", "detail", "checked_at", "next_attempt_at", "timeout_seconds",
        "heartbeat_timeout_seconds",
    ])  # fmt: skip


def _record(check: CallbackCheck, request: ApprovalRequest, now: datetime, **more: Any) -> None:
    AuditEvent.objects.record(
        AuditTag.CALLBACK_CHECKED,
        request,
        at=now,
        finding=str(check.finding),
        detail=check.detail,
        timeout_seconds=check.timeout_seconds,
        heartbeat_timeout_seconds=check.heartbeat_timeout_seconds,
        **more,
    )


def _withdraw_as_known(request: ApprovalRequest, now: datetime) -> None:
    if not request.is_pending:
        return
    execution = request.execution
    if execution and execution.has_ended:
        why = Withdrawal.EXECUTION_ENDED
        sentence = f"The execution ended before an answer: {execution.status}."
    else:
        why, sentence = Withdrawal.CLOSED_AT_AWS, CLOSED_AT_AWS
    withdraw_locked(request, why=why, reason=sentence, at=now)


def _move_clocks(request: ApprovalRequest, terms: Terms) -> list[str]:
    """Bring REQUEST's clocks before AWS's own; the columns that moved."""
    if not terms.timeout_seconds:
        return []
    start = terms.started_at or request.sent_at
    expires = start + timedelta(seconds=terms.timeout_seconds)
    known = request.callback_expires_at
    if known is not None and expires > known - _SAME:
        return []
    request.callback_expires_at = expires
    answer_by = expires - timedelta(seconds=margin(terms.timeout_seconds))
    if request.answer_by is not None and request.answer_by <= answer_by:
        return ["callback_expires_at"]
    request.answer_by = answer_by
    request.clock_at = min(request.clock_at or answer_by, answer_by)
    request.queue_at = min(request.queue_at, answer_by)
    return ["callback_expires_at", "answer_by", "clock_at", "queue_at"]


def _beat_sooner(request: ApprovalRequest, seconds: int | None, now: datetime) -> list[str]:
    """Beat at a third of AWS's real patience, where that is less than was promised."""
    promised = request.heartbeat_timeout_seconds
    if not seconds or 0 < promised <= seconds:
        return []
    request.heartbeat_timeout_seconds = seconds
    pace = {"interval": timedelta(seconds=seconds) / 3, "next_beat_at": now}
    Heartbeat.objects.update_or_create(
        request=request, defaults=pace, create_defaults={**pace, "source_id": request.source_id}
    )
    return ["heartbeat_timeout_seconds"]


def _is_owed(request_id: int) -> bool:
    owed = CallbackDelivery.objects.select_for_update(no_key=True).filter(request=request_id)
    return owed.filter(state=DeliveryState.PENDING).exists()
