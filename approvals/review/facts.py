"""The three facts, never mixed: decided by people, taken by AWS, resumed by the execution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.lifecycle.edits import counted
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Execution
from approvals.review.words import clock
from approvals.states import (
    AuditTag,
    CallbackVerb,
    Cause,
    DeliveryState,
    ExecutionStatus,
    OnTimeout,
    Reply,
    RequestState,
    Withdrawal,
)
from approvals.templatetags.moments import lasted

#: An execution that does not end is asked about this often, then left to a reload.
LIVELY = timedelta(minutes=1)
PATIENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the panel. STATE is done, now, wait, warn or bad."""

    state: str
    title: str
    words: str = ""
    said: str = ""
    at: datetime | None = None


def facts_of(request: ApprovalRequest, decisions: Sequence[Decision]) -> list[Fact]:
    """Decided, delivered, resumed: for a closed request."""
    delivery = getattr(request, "delivery", None)
    return [
        _decided(request, decisions),
        _delivered(request, delivery),
        _resumed(request.execution, delivery),
    ]


def headline(request: ApprovalRequest, decisions: Sequence[Decision]) -> str:
    """Never "approved" alone before AWS took it."""
    delivery = getattr(request, "delivery", None)
    title = _decided(request, decisions).title
    return title + _UNDELIVERED.get(delivery.state, "") if delivery else title


def ended(request: ApprovalRequest, decisions: Sequence[Decision]) -> str:
    """How it ended and by whom, whether AWS knows of it or not."""
    return _decided(request, decisions).title


_UNDELIVERED = {
    DeliveryState.PENDING: ", sending…",
    DeliveryState.UNDELIVERABLE: ", not delivered",
    DeliveryState.UNCONFIRMED: ", perhaps not delivered",
}


def poll_seconds(request: ApprovalRequest, now: datetime) -> int | None:
    """How soon looking again is worth it; None once nothing will change."""
    if request.is_pending:
        return 1 if request.held_until else 5
    delivery = getattr(request, "delivery", None)
    if delivery is not None and delivery.is_pending:
        return 1 if now - delivery.owed_at < LIVELY else 5
    execution = request.execution
    if execution is None or execution.has_ended or request.closed_at is None:
        return None
    since = now - (delivery.settled_at if delivery else request.closed_at)
    return 1 if since < LIVELY else 10 if since < PATIENT else None


def _decided(request: ApprovalRequest, decisions: Sequence[Decision]) -> Fact:
    state, at = RequestState(request.state), request.closed_at
    if state is RequestState.EXPIRED:
        words = _AT_THE_DEADLINE[OnTimeout(request.on_timeout)]
        return Fact("warn", request.ending, words, at=at)
    if state is RequestState.WITHDRAWN:
        return _withdrawn(request)
    last = decisions[-1] if decisions else None
    if last and last.cause == Cause.OPERATOR:
        title = f"{state.label}, forced by an operator: {last.who}"
        words = "Instead of those who were asked, because:"
        return Fact("warn", title, words, said=last.comment, at=at)
    who = " and ".join(d.who for d in decisions if d.verdict == request.state)
    who += _edited(decisions) if state is RequestState.APPROVED else ""
    said = decisions[-1].comment if decisions else ""
    return Fact("done", f"{state.label} by {who}", said=said, at=at)


def _edited(decisions: Sequence[Decision]) -> str:
    edits = decisions[-1].edits if decisions else {}
    return f" with {counted(len(edits))}" if edits else ""


_AT_THE_DEADLINE = {
    OnTimeout.FAIL: "The deadline passed; the function is told that nobody decided.",
    OnTimeout.REJECT: "By its rule, silence counts as a rejection.",
    OnTimeout.APPROVE: "By its rule, silence counts as an approval. No person approved it.",
    OnTimeout.LAPSE: "The deadline passed; the callback times out at AWS.",
}


def _withdrawn(request: ApprovalRequest) -> Fact:
    title, at = Withdrawal(request.withdrawal).label, request.closed_at
    if request.withdrawal == Withdrawal.ELSEWHERE:
        _, _, how = request.closed_because.partition(": ")
        return Fact("warn", "Answered outside the portal", _sentence(how), at=at)
    if request.withdrawal != Withdrawal.OPERATOR:
        return Fact("warn", title, request.closed_because, at=at)
    line = request.history.filter(tag=AuditTag.WITHDRAWN).select_related("actor").last()
    by = f": {line.actor.display_name}" if line and line.actor else ""
    return Fact("warn", title + by, "Because:", said=request.closed_because, at=at)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _delivered(request: ApprovalRequest, delivery: CallbackDelivery | None) -> Fact:
    if delivery is None:
        return Fact("wait", "Nothing is sent to AWS", _why_nothing(request))
    at, detail = delivery.settled_at, delivery.detail
    if delivery.state == DeliveryState.DELIVERED and at:
        title = f"AWS took the answer at {clock(at)} ({lasted(at - delivery.owed_at)})"
        return Fact("done", title, _verb(delivery))
    if delivery.state == DeliveryState.UNCONFIRMED:
        return Fact("warn", "Not known whether AWS took the answer", _perhaps(detail), at=at)
    if delivery.state == DeliveryState.UNDELIVERABLE:
        return _undeliverable(delivery)
    if delivery.attempts and not delivery.in_flight:
        next_try = f"Try {delivery.attempts + 1} at {clock(delivery.next_attempt_at)}."
        title = f"Not delivered yet: {detail}" if detail else "Not delivered yet"
        return Fact("warn", title, next_try)
    return Fact("now", "Sending…", "The answer is on its way to AWS.")


def _perhaps(detail: str) -> str:
    read = detail if detail.startswith("The ") else ""  # what the history came to
    words = (
        "AWS had closed the callback when this was sent again. An earlier try of ours got no reply "
        "and may be what closed it; the execution's history tells, where the portal may read it."
    )
    return f"{words} {read}".strip()


def _undeliverable(delivery: CallbackDelivery) -> Fact:
    if delivery.last_reply == Reply.CLOSED:
        words = "The callback had timed out or was answered before. The function did not get this."
        return Fact("bad", "AWS no longer waits", words, at=delivery.settled_at)
    words = f"{delivery.detail} An operator can send it again.".strip()
    return Fact("bad", "AWS did not take the answer", words, at=delivery.settled_at)


def _why_nothing(request: ApprovalRequest) -> str:
    if request.withdrawal == Withdrawal.ELSEWHERE:
        return "AWS has taken the answer that was given there."
    if request.state == RequestState.EXPIRED:
        return "The sender chose to let the callback time out at AWS."
    return "AWS has already stopped waiting."


_ENDINGS = {
    ExecutionStatus.SUCCEEDED: ("done", "Execution succeeded"),
    ExecutionStatus.FAILED: ("bad", "Execution failed"),
    ExecutionStatus.TIMED_OUT: ("bad", "Execution timed out"),
    ExecutionStatus.STOPPED: ("bad", "Execution was stopped"),
}


def _resumed(execution: Execution | None, delivery: CallbackDelivery | None) -> Fact:
    if execution is None:
        return Fact("wait", "Not known whether the run goes on", "The sender named no execution.")
    if execution.status in _ENDINGS:
        state, title = _ENDINGS[ExecutionStatus(execution.status)]
        return Fact(state, title, at=execution.ended_at or execution.seen_at)
    taken_at = delivery.settled_at if delivery else None
    if execution.seen_at and taken_at and execution.seen_at > taken_at:
        return Fact("now", "Execution goes on", at=execution.seen_at)
    return Fact("wait", "Execution has not reported yet", execution.trouble)


def _verb(delivery: CallbackDelivery) -> str:
    succeeds = delivery.verb == CallbackVerb.SUCCEED
    return "The callback succeeded." if succeeds else "The callback failed, as it should."
