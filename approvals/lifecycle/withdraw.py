"""A request is taken back: by its source, an operator, a newer one, or as AWS moved on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import policy
from approvals.clock import database_now
from approvals.errors import AlreadyClosed
from approvals.lifecycle import desk, outcome
from approvals.lifecycle.conclude import conclude_if_over
from approvals.lifecycle.hold import let_fall
from approvals.lifecycle.reason import checked_reason
from approvals.locales import in_english
from approvals.models import ApprovalRequest, AuditEvent, User
from approvals.states import AuditTag, Cause, RequestState, Withdrawal

#: What AWS is told. It is told nothing where it has already stopped waiting.
_ERROR_TYPES = {
    Withdrawal.SOURCE: "ApprovalWithdrawn",
    Withdrawal.SUPERSEDED: "ApprovalSuperseded",
    Withdrawal.OPERATOR: "ApprovalWithdrawn",
}


@transaction.atomic(durable=True)
def withdraw(request_id: int, *, why: Withdrawal, reason: str) -> bool:
    """Take a pending request back; False if it was closed before, and nothing changes.

    A decision whose hold is over closes it first, where AWS still waits for an answer.

    REASON is a sentence for its reviewers (and for the function, where it still waits).
    """
    request = desk.lock(request_id)
    at = database_now()
    if not request.is_pending or (why in _ERROR_TYPES and conclude_if_over(request, at=at)):
        return False
    withdraw_locked(request, why=why, reason=reason, at=at)
    return True


@transaction.atomic(durable=True)
def take_back(request_id: int, *, operator: User, reason: str) -> None:
    """Withdraw a pending request at an operator's word; the function is told a failure.

    Raises:
        NotAnOperator: OPERATOR may not operate the request's source.
        AlreadyClosed: it was closed before.
        InvalidFields: REASON is missing, too long, or holds a NUL character.
    """
    reason = checked_reason(reason, _("Say why you take it back; the function receives it."))
    request = desk.lock(request_id)
    policy.check_may_operate(request, operator)
    at = database_now()
    if request.held_until and at >= request.held_until:
        raise AlreadyClosed(desk.held_sentence(request, request.held_until, at))
    if not request.is_pending:
        raise AlreadyClosed(desk.closing_sentence(request))
    withdraw_locked(request, why=Withdrawal.OPERATOR, reason=reason, at=at, by=operator)


def withdraw_locked(
    request: ApprovalRequest,
    *,
    why: Withdrawal,
    reason: str,
    at: datetime,
    by: User | None = None,
) -> None:
    """As `withdraw`, inside the transaction of a caller who holds the request's lock.

    A decision that was held falls: AWS is not told of it.
    """
    fallen = let_fall(request, at=at)
    request.withdrawal = why
    request.closed_because = reason[:500]
    answer = None
    if error_type := _ERROR_TYPES.get(why):
        word = "superseded" if why is Withdrawal.SUPERSEDED else "withdrawn"
        cause = Cause.OPERATOR if why is Withdrawal.OPERATOR else Cause.SOURCE
        facts = outcome.document(request, word, cause=cause, at=at, reason=reason)
        answer = outcome.failure(error_type, reason or in_english(why.label), facts)
    desk.close(request, RequestState.WITHDRAWN, at=at, answer=answer, by=by)
    AuditEvent.objects.record(
        AuditTag.WITHDRAWN,
        request,
        at=at,
        actor=by,
        why=str(why),
        reason=request.closed_because,
        **({"undone": str(fallen.public_id)} if fallen else {}),
        answer_sha256=answer.sha256 if answer else None,
    )
