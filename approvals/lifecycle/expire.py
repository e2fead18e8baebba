"""The deadline passes."""

from __future__ import annotations

from datetime import datetime

from approvals.lifecycle import desk, outcome
from approvals.lifecycle.outcome import OwedAnswer
from approvals.models import ApprovalRequest, AuditEvent, Decision
from approvals.models.request import new_public_id
from approvals.states import AuditTag, Cause, Channel, OnTimeout, RequestState, Verdict


def expire_locked(request: ApprovalRequest, *, at: datetime) -> None:
    """Close a pending REQUEST whose answer_by has passed; the caller holds its row's lock.

    What AWS is told was frozen in `on_timeout`: a failure, a rejection, an approval the
    sender asked for in so many words, or nothing at all.
    """
    rule = OnTimeout(request.on_timeout)
    decision = None if rule is OnTimeout.LAPSE else _clock_decision(request, rule, at=at)
    answer = _answer(request, rule, decision, at=at) if decision else None
    desk.close(request, RequestState.EXPIRED, at=at, answer=answer)
    AuditEvent.objects.record(
        AuditTag.EXPIRED,
        request,
        at=at,
        on_timeout=str(rule),
        decision=str(decision.public_id) if decision else None,
        answer_sha256=answer.sha256 if answer else None,
    )


def _clock_decision(request: ApprovalRequest, rule: OnTimeout, *, at: datetime) -> Decision:
    approves = rule is OnTimeout.APPROVE
    return Decision.objects.create(
        public_id=new_public_id(),
        request=request,
        verdict=Verdict.APPROVED if approves else Verdict.REJECTED,
        cause=Cause.CLOCK,
        channel=Channel.SYSTEM,
        payload_sha256=request.payload_sha256,
        decided_at=at,
    )


def _answer(
    request: ApprovalRequest, rule: OnTimeout, decision: Decision, *, at: datetime
) -> OwedAnswer:
    word = "expired" if rule is OnTimeout.FAIL else str(decision.verdict)
    facts = outcome.document(
        request,
        word,
        cause=Cause.CLOCK,
        at=at,
        decisions=[decision],
        reason="Nobody decided in time.",
    )
    if rule is OnTimeout.FAIL:
        return outcome.expiry(facts)
    return outcome.for_verdict(request, Verdict(decision.verdict), facts)
