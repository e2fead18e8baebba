"""Beats that AWS did not take: what follows, under the desk's lock."""

from __future__ import annotations

from datetime import datetime

from django.db import Error, connection, transaction
from django.utils.translation import gettext_noop

from approvals.callbacks import pace
from approvals.callbacks.gateway import Answer
from approvals.lifecycle import desk
from approvals.lifecycle.checks import CLOSED_AT_AWS, ask_who_closed
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import ApprovalRequest, AuditEvent, Heartbeat
from approvals.states import AuditTag, Reply, Withdrawal

NOT_FOUND_AT_AWS = gettext_noop(
    "AWS did not know the callback for longer than its heartbeat timeout. Check "
    "the source's region, account and endpoint."
)


def note(request_id: int, answer: Answer, now: datetime) -> bool:
    """Record an ANSWER other than yes; false if the database did not take it down."""
    try:
        if answer.reply == Reply.CLOSED and not answer.not_found:
            _note_closed(request_id, now)
        else:
            _note_missed(request_id, answer, now)
    except Error:
        connection.close_if_unusable_or_obsolete()
        return False
    return True


def _wait_briefly() -> None:
    """In this transaction: the beats of others wait behind whoever holds the request."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '500ms'")


@transaction.atomic(durable=True)
def _note_closed(request_id: int, now: datetime) -> None:
    _wait_briefly()
    request = desk.lock(request_id)
    if not ask_who_closed(request, now=now):  # else the history settles it, or the next beat
        _stop(request, CLOSED_AT_AWS, now)


def _stop(request: ApprovalRequest, reason: str, now: datetime) -> None:
    """The wait is over: take the request back or, once decided, just fall silent."""
    if request.is_pending:
        withdraw_locked(request, why=Withdrawal.CLOSED_AT_AWS, reason=reason, at=now)
    Heartbeat.objects.filter(request=request).delete()


@transaction.atomic(durable=True)
def _note_missed(request_id: int, answer: Answer, now: datetime) -> None:
    _wait_briefly()
    request = desk.lock(request_id)
    current = Heartbeat.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if current is None:
        return
    if answer.not_found and _is_past_hope(current, request, now):
        _stop(request, NOT_FOUND_AT_AWS, now)
        return
    current.misses += 1
    current.trouble = answer.detail
    current.next_beat_at = now + pace.after_missed_beat(current.interval, current.misses, answer)
    current.save(update_fields=["misses", "trouble", "next_beat_at"])
    if current.misses == 1:  # once per streak
        AuditEvent.objects.record(
            AuditTag.HEARTBEAT_LOST,
            request,
            at=now,
            reply=str(answer.reply),
            detail=answer.detail,
        )


def _is_past_hope(row: Heartbeat, request: ApprovalRequest, now: datetime) -> bool:
    """Whether a callback that is not found once more has been silent beyond AWS's patience.

    Before that, AWS may only have been asked in the wrong region, or too soon after the
    start; after it, AWS has let the callback time out wherever it is.
    """
    heard_at = row.last_beat_at or request.received_at
    return row.misses > 0 and now - heard_at > row.interval * 3
