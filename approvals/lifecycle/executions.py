"""An execution was seen: by looking, or by an event. The only writer of its status.

News comes twice, late and out of order. A terminal status is never left again, and older
news never takes the place of newer; whatever is told last, what ended stays ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from approvals.lifecycle import desk
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import ApprovalRequest, AuditEvent, Execution, Heartbeat
from approvals.states import TERMINAL_STATUSES, AuditTag, ExecutionStatus, Withdrawal


@dataclass(frozen=True, slots=True)
class Seen:
    """How an execution stood AT a moment, as AWS says.

    STATUS is AWS's word, also one we do not know: it counts as open.
    """

    status: str
    at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL_STATUSES


@transaction.atomic(durable=True)
def see(execution: Execution, seen: Seen, *, now: datetime) -> bool:
    """Note that EXECUTION was SEEN; one that ended takes its pending requests with it.

    EXECUTION may have been read at any time before: what counts is read again, locked.
    Returns whether it was news; of what is older than what is known, and of anything
    after the end, nothing is written. Only requests that came after the end are let go.
    """
    matters = seen.is_terminal or seen.status not in {execution.status, ExecutionStatus.RUNNING}
    requests = [desk.lock(pk) for pk in _requests_of(execution)] if matters else []
    current = Execution.objects.select_for_update(no_key=True).get(pk=execution.pk)
    former = current.status
    is_news = _is_news(current, seen)
    if is_news:
        _note(current, seen, now)
    # Who was told of an end is not told twice: only who came since is still pending.
    told = requests if current.status != former else [r for r in requests if r.is_pending]
    if current.has_ended:
        _let_go(current, requests, now)
    elif current.status == former:
        told = []
    for request in told:
        AuditEvent.objects.record(AuditTag.EXECUTION_SEEN, request, at=now, status=current.status)
    return is_news


def _requests_of(execution: Execution) -> list[int]:
    # In the order of their keys, so that two who lock several never wait for each other.
    requests = ApprovalRequest.objects.filter(execution=execution)
    return list(requests.order_by("pk").values_list("pk", flat=True))


def _is_news(execution: Execution, seen: Seen) -> bool:
    """Whether SEEN is later than what is known; an end is, whenever it is told of."""
    if execution.has_ended:
        return False
    return seen.is_terminal or execution.seen_at is None or seen.at >= execution.seen_at


def _note(execution: Execution, seen: Seen, now: datetime) -> None:
    execution.status = seen.status[:16]
    execution.started_at = seen.started_at or execution.started_at
    execution.ended_at = seen.ended_at if seen.is_terminal else None
    execution.seen_at = min(seen.at, now)  # AWS's clock may be ahead of ours
    execution.trouble = ""
    execution.save(update_fields=["status", "started_at", "ended_at", "seen_at", "trouble"])


def _let_go(execution: Execution, requests: Sequence[ApprovalRequest], now: datetime) -> None:
    """Nobody waits any more: withdraw what is pending of REQUESTS, and silence them all."""
    sentence = f"The execution ended before an answer: {execution.status}."
    for request in requests:
        if request.is_pending:
            withdraw_locked(request, why=Withdrawal.EXECUTION_ENDED, reason=sentence, at=now)
    Heartbeat.objects.filter(request__in=requests).delete()
    # One that was opened since REQUESTS were read has set the next look, and keeps it.
    late = ApprovalRequest.objects.pending().filter(execution=execution)
    execution.next_look_at = now if late.exists() else None
    execution.save(update_fields=["next_look_at"])
