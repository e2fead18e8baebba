"""The three facts, never mixed: decided by people, taken by AWS, resumed by the execution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.lifecycle.edits import counted
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Execution
from approvals.review.words import clock, listed_names
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
from approvals.templatetags.prose import reworded

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
    return with_delivery(title, delivery.state if delivery else None)


def with_delivery(ended: str, state: str | None) -> str:
    """ENDED, and how far the answer owed for it has come; STATE is None where none is owed."""
    words = _UNDELIVERED.get(DeliveryState(state)) if state else None
    return str(words) % {"ended": ended} if words else ended


def ended(request: ApprovalRequest, decisions: Sequence[Decision]) -> str:
    """How it ended and by whom, whether AWS knows of it or not."""
    return _decided(request, decisions).title


_UNDELIVERED = {
    DeliveryState.PENDING: gettext_lazy("%(ended)s, sending…"),
    DeliveryState.UNDELIVERABLE: gettext_lazy("%(ended)s, not delivered"),
    DeliveryState.UNCONFIRMED: gettext_lazy("%(ended)s, perhaps not delivered"),
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
        words = str(_AT_THE_DEADLINE[OnTimeout(request.on_timeout)])
        return Fact("warn", request.ending, words, at=at)
    if state is RequestState.WITHDRAWN:
        return _withdrawn(request)
    last = decisions[-1] if decisions else None
    if last and last.cause == Cause.OPERATOR:
        title = _("%(state)s, forced by an operator: %(who)s") % {
            "state": state.label,
            "who": last.who,
        }
        words = _("Instead of those who were asked, because:")
        return Fact("warn", title, words, said=last.comment, at=at)
    who = listed_names([d.who for d in decisions if d.verdict == request.state])
    edits = len(decisions[-1].edits) if decisions and state is RequestState.APPROVED else 0
    said = decisions[-1].comment if decisions else ""
    return Fact("done", _by(state, who, edits), said=said, at=at)


def _by(state: RequestState, who: str, edits: int) -> str:
    named = {"who": who, "edits": counted(edits)}
    if state is RequestState.REJECTED:
        return _("Rejected by %(who)s") % named
    return (
        _("Approved by %(who)s with %(edits)s") % named
        if edits
        else _("Approved by %(who)s") % named
    )


_AT_THE_DEADLINE = {
    OnTimeout.FAIL: gettext_lazy("The deadline passed; the function is told that nobody decided."),
    OnTimeout.REJECT: gettext_lazy("By its rule, silence counts as a rejection."),
    OnTimeout.APPROVE: gettext_lazy(
        "By its rule, silence counts as an approval. No person approved it."
    ),
    OnTimeout.LAPSE: gettext_lazy("The deadline passed; the callback times out at AWS."),
}


def _withdrawn(request: ApprovalRequest) -> Fact:
    title, at = str(Withdrawal(request.withdrawal).label), request.closed_at
    if request.withdrawal == Withdrawal.ELSEWHERE:
        how = request.closed_because.partition(": ")[2]
        return Fact("warn", _("Answered outside the portal"), _sentence(reworded(how)), at=at)
    if request.withdrawal == Withdrawal.SOURCE:
        return Fact("warn", title, request.closed_because, at=at)
    if request.withdrawal != Withdrawal.OPERATOR:
        return Fact("warn", title, reworded(request.closed_because), at=at)
    line = request.history.filter(tag=AuditTag.WITHDRAWN).select_related("actor").last()
    by = f": {line.actor.display_name}" if line and line.actor else ""
    return Fact("warn", f"{title}{by}", _("Because:"), said=request.closed_because, at=at)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _delivered(request: ApprovalRequest, delivery: CallbackDelivery | None) -> Fact:
    if delivery is None:
        return Fact("wait", _("Nothing is sent to AWS"), _why_nothing(request))
    at, detail = delivery.settled_at, delivery.detail
    if delivery.state == DeliveryState.DELIVERED and at:
        title = _("AWS took the answer at %(at)s (%(took)s)") % {
            "at": clock(at),
            "took": lasted(at - delivery.owed_at),
        }
        return Fact("done", title, _verb(delivery))
    if delivery.state == DeliveryState.UNCONFIRMED:
        return Fact("warn", _("Not known whether AWS took the answer"), _perhaps(delivery), at=at)
    if delivery.state == DeliveryState.UNDELIVERABLE:
        return _undeliverable(delivery)
    if delivery.attempts and not delivery.in_flight:
        next_try = _("Try %(number)s at %(at)s.") % {
            "number": delivery.attempts + 1,
            "at": clock(delivery.next_attempt_at),
        }
        title = _("Not delivered yet")
        title = f"{title}: {reworded(detail)}" if detail else title
        return Fact("warn", title, next_try)
    return Fact("now", _("Sending…"), _("The answer is on its way to AWS."))


def _perhaps(delivery: CallbackDelivery) -> str:
    words = _(
        "AWS had closed the callback when this was sent again. An earlier try of "
        "ours got no reply and may be what closed it; the execution's history tells, "
        "where the portal may read it."
    )
    return f"{words} {reworded(delivery.history_says)}".strip()


def _undeliverable(delivery: CallbackDelivery) -> Fact:
    if delivery.last_reply == Reply.CLOSED:
        words = _(
            "The callback had timed out or was answered before. The function did not get this."
        )
        return Fact("bad", _("AWS no longer waits"), words, at=delivery.settled_at)
    again = _("An operator can send it again.")
    words = f"{reworded(delivery.detail)} {again}".strip()
    return Fact("bad", _("AWS did not take the answer"), words, at=delivery.settled_at)


def _why_nothing(request: ApprovalRequest) -> str:
    if request.withdrawal == Withdrawal.ELSEWHERE:
        return _("AWS has taken the answer that was given there.")
    if request.state == RequestState.EXPIRED:
        return _("The sender chose to let the callback time out at AWS.")
    return _("AWS has already stopped waiting.")


_ENDINGS = {
    ExecutionStatus.SUCCEEDED: ("done", gettext_lazy("Execution succeeded")),
    ExecutionStatus.FAILED: ("bad", gettext_lazy("Execution failed")),
    ExecutionStatus.TIMED_OUT: ("bad", gettext_lazy("Execution timed out")),
    ExecutionStatus.STOPPED: ("bad", gettext_lazy("Execution was stopped")),
}


def _resumed(execution: Execution | None, delivery: CallbackDelivery | None) -> Fact:
    if execution is None:
        return Fact(
            "wait", _("Not known whether the run goes on"), _("The sender named no execution.")
        )
    if execution.status in _ENDINGS:
        state, title = _ENDINGS[ExecutionStatus(execution.status)]
        return Fact(state, str(title), at=execution.ended_at or execution.seen_at)
    taken_at = delivery.settled_at if delivery else None
    if execution.seen_at and taken_at and execution.seen_at > taken_at:
        return Fact("now", _("Execution goes on"), at=execution.seen_at)
    return Fact("wait", _("Execution has not reported yet"), reworded(execution.trouble))


def _verb(delivery: CallbackDelivery) -> str:
    succeeds = delivery.verb == CallbackVerb.SUCCEED
    return _("The callback succeeded.") if succeeds else _("The callback failed, as it should.")
