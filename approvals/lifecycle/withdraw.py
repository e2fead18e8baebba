"""A request is taken back: by its source, by a newer one, or because AWS moved on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from approvals.clock import database_now
from approvals.lifecycle import desk, outcome
from approvals.models import ApprovalRequest, AuditEvent
from approvals.states import AuditTag, Cause, RequestState, Withdrawal

#: What AWS is told. It is told nothing where it has already stopped waiting.
_ERROR_TYPES = {
    Withdrawal.SOURCE: "ApprovalWithdrawn",
    Withdrawal.SUPERSEDED: "ApprovalSuperseded",
}


@transaction.atomic(durable=True)
def withdraw(request_id: int, *, why: Withdrawal, reason: str) -> bool:
    """Take a pending request back; False if it was closed before, and nothing changes.

    REASON is a sentence for its reviewers (and for the function, where it still waits).
    """
    request = desk.lock(request_id)
    if not request.is_pending:
        return False
    withdraw_locked(request, why=why, reason=reason, at=database_now())
    return True


def withdraw_locked(
    request: ApprovalRequest, *, why: Withdrawal, reason: str, at: datetime
) -> None:
    """As `withdraw`, inside the transaction of a caller who holds the request's lock."""
    request.withdrawal = why
    request.closed_because = reason[:500]
    answer = None
    if error_type := _ERROR_TYPES.get(why):
        word = "superseded" if why is Withdrawal.SUPERSEDED else "withdrawn"
        facts = outcome.document(request, word, cause=Cause.SOURCE, at=at, reason=reason)
        answer = outcome.failure(error_type, reason or why.label, facts)
    desk.close(request, RequestState.WITHDRAWN, at=at, answer=answer)
    AuditEvent.objects.record(
        AuditTag.WITHDRAWN,
        request,
        at=at,
        why=str(why),
        reason=request.closed_because,
        answer_sha256=answer.sha256 if answer else None,
    )
