"""Clocks strike: due, time to ask others, the deadline. Each once, under the row's lock.

`clock_at` says when a request is looked at next, no more: what has struck is read from its
history, which is written in the same transaction. So a clock that is put off is not lost,
and one that is moved does not strike twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.lifecycle.conclude import conclude_due, conclude_locked
from approvals.lifecycle.expire import expire_locked
from approvals.models import ApprovalRequest, AuditEvent
from approvals.states import AuditTag

#: Requests looked up at once.
BATCH = 100
#: One sweep begins no batch later than this: Celery's soft limit stands at 25 s.
SWEEP_LIMIT = timedelta(seconds=8)
#: A request on which a clock fails is left alone for this long: it holds up no other.
PUT_OFF = timedelta(seconds=10)

log = structlog.get_logger(__name__)


def strike_due(*, now: datetime, limit: int = 5_000) -> int:
    """Let every clock strike that has passed at NOW, oldest first; return at how many requests.

    Holds that are over first: somebody waits for each of them.

    Safe to run at the same time as itself: a request that somebody else is at is passed
    over, and found again by the next sweep if it still waits.
    """
    end = time.monotonic() + SWEEP_LIMIT.total_seconds()
    struck = conclude_due(now=now)
    while struck < limit and time.monotonic() < end:
        due = _due(now, min(BATCH, limit - struck))
        done = sum(_strike_or_put_off(*each, now=now) for each in due)
        struck += done
        if not done:  # nothing is due, or others are at all of it
            break
    return struck


def next_clock(request: ApprovalRequest, after: datetime) -> datetime | None:
    """When REQUEST is to be looked at again once all up to AFTER has struck; None: never.

    The deadline counts however long past: a request that still waits has not expired. Who
    moves a clock sets `clock_at` to this or to what it was, whichever is earlier: a soft
    clock may have passed a moment ago and not been heard yet.
    """
    ahead = [moment for _, moment in _soft(request) if moment > after]
    return min([*ahead, *filter(None, [request.answer_by])], default=None)


@transaction.atomic(durable=True)
def strike(request_id: int, *, now: datetime) -> bool:
    """Let the clocks of one request strike that have passed at NOW; False if none was heard.

    Nothing strikes on what is closed, for an answer came first, nor while somebody else
    holds the request: they may be giving one.
    """
    request = desk.lock_if_free(request_id)
    if request is None or not request.is_pending:
        return False
    if request.clock_at is None or now < request.clock_at:
        return False
    at = max(now, database_now())  # the sweep may have begun a while ago
    for tag, moment in _unheard(request, at):
        AuditEvent.objects.record(tag, request, at=at, clock=moment.isoformat())
    if request.answer_by is None or at < request.answer_by:
        _set_clock(request, next_clock(request, at))
    elif request.held_until:  # somebody decided in time
        conclude_locked(request, at=at)
    else:
        expire_locked(request, at=at)
    return True


def _due(now: datetime, number: int) -> list[tuple[int, UUID]]:
    passed = ApprovalRequest.objects.pending().filter(clock_at__lte=now).order_by("clock_at")
    return list(passed.values_list("pk", "public_id")[:number])


def _strike_or_put_off(request_id: int, public_id: UUID, *, now: datetime) -> bool:
    try:
        return strike(request_id, now=now)
    except Exception:  # one that fails must not hold up all others
        log.exception("clock_not_struck", public_id=str(public_id))
    _put_off(request_id, now=now)  # raises if it was the database that failed
    return False


@transaction.atomic(durable=True)
def _put_off(request_id: int, *, now: datetime) -> None:
    request = desk.lock_if_free(request_id)
    if request is not None and request.is_pending:
        _set_clock(request, now + PUT_OFF)


def _set_clock(request: ApprovalRequest, moment: datetime | None) -> None:
    request.clock_at = moment
    request.save(update_fields=["clock_at"])


def _soft(request: ApprovalRequest) -> Iterator[tuple[AuditTag, datetime]]:
    """The clocks that run and only leave a line."""
    soft = {AuditTag.DUE: request.due_at, AuditTag.ESCALATED: request.escalate_at}
    yield from ((tag, moment) for tag, moment in soft.items() if moment)


def _unheard(request: ApprovalRequest, at: datetime) -> list[tuple[AuditTag, datetime]]:
    """The soft clocks that have passed and not struck, in their order.

    One that would strike after the deadline never does.
    """
    last = min(at, request.answer_by or at)
    passed = sorted((moment, tag) for tag, moment in _soft(request) if moment <= last)
    if not passed:
        return []
    lines = request.history.filter(tag__in=[tag for _, tag in passed])
    heard = set(lines.values_list("tag", flat=True))
    return [(tag, moment) for moment, tag in passed if tag not in heard]
