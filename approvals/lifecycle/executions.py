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
from approvals.lifecycle.checks import ASK_WITHIN, ask_who_closed
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackCheck,
    Execution,
    ExecutionHistory,
    Heartbeat,
)
from approvals.states import (
    TERMINAL_STATUSES,
    AuditTag,
    CallbackFinding,
    ExecutionStatus,
    Withdrawal,
)

#: What came to an end of its own has perhaps been answered elsewhere: its history is asked.
_BY_ITSELF = frozenset({ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED})


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
    Of an end all requests are told, of any other word those that are still pending.
    """
    matters = seen.is_terminal or seen.status not in {execution.status, ExecutionStatus.RUNNING}
    requests = _locked(execution, with_closed=seen.is_terminal) if matters else []
    current = Execution.objects.select_for_update(no_key=True).get(pk=execution.pk)
    former = current.status
    is_news = _is_news(current, seen)
    if is_news:
        _note(current, seen, now)
        if current.has_ended:
            ExecutionHistory.objects.read_soon(current.pk, at=now)
    told = requests if current.status != former else _latecomers(current, requests)
    if current.has_ended:
        _let_go(current, requests, now)
    for request in told:
        AuditEvent.objects.record(AuditTag.EXECUTION_SEEN, request, at=now, status=current.status)
    return is_news


def _locked(execution: Execution, *, with_closed: bool) -> list[ApprovalRequest]:
    # In the order of their keys, so that two who lock several never wait for each other.
    requests = ApprovalRequest.objects.filter(execution=execution)
    wanted = requests if with_closed else requests.pending()
    keys = list(wanted.order_by("pk").values_list("pk", flat=True))
    locked = [desk.lock(pk) for pk in keys]
    return [request for request in locked if with_closed or request.is_pending]


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


def _latecomers(execution: Execution, requests: Sequence[ApprovalRequest]) -> list[ApprovalRequest]:
    """Those of REQUESTS that came after the end, and have not been told of it."""
    if not execution.has_ended:
        return []
    asked = CallbackCheck.objects.filter(request__in=requests, finding=CallbackFinding.CLOSED)
    known = set(asked.values_list("pk", flat=True))
    return [request for request in requests if request.is_pending and request.pk not in known]


def _let_go(execution: Execution, requests: Sequence[ApprovalRequest], now: datetime) -> None:
    """Nobody waits any more: withdraw what is pending of REQUESTS, and silence them all.

    Where the history may tell of an answer, that waits for it, for ASK_WITHIN at most.
    """
    sentence = f"The execution ended before an answer: {execution.status}."
    may_be_answered = execution.status in _BY_ITSELF
    asked = []
    for request in requests:
        if may_be_answered and ask_who_closed(request, now=now):
            asked.append(request.pk)
        elif request.is_pending:
            withdraw_locked(request, why=Withdrawal.EXECUTION_ENDED, reason=sentence, at=now)
    Heartbeat.objects.filter(request__in=requests).delete()
    # One that was opened since REQUESTS were read has set the next look, and keeps it.
    late = ApprovalRequest.objects.pending().filter(execution=execution).exclude(pk__in=asked)
    last = now + ASK_WITHIN if asked else None
    execution.next_look_at = now if late.exists() else last
    execution.save(update_fields=["next_look_at"])
