"""An operator forces an answer to a pending request."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import policy
from approvals.clock import database_now
from approvals.errors import AlreadyVoted, InvalidFields
from approvals.lifecycle import desk, outcome
from approvals.lifecycle.reason import checked_reason
from approvals.models import ApprovalRequest, AuditEvent, Decision, User
from approvals.models.request import new_public_id
from approvals.states import AuditTag, Cause, Channel, RequestState, Verdict


@transaction.atomic(durable=True)
def force(
    request_id: int, *, verdict: Verdict, operator: User, reason: str, channel: Channel
) -> Decision:
    """Close a pending request with VERDICT at an operator's word, and owe AWS the answer.

    It stands in for all approvals that were required, and says so everywhere: the
    decision's cause is `operator`. Four eyes hold: who wants the request cannot force
    it, nor can who has voted on it.

    Raises:
        NotAnOperator: OPERATOR may not operate the request's source.
        FourEyes: OPERATOR asked for it, or it was asked on their behalf.
        AlreadyClosed: it was closed, is decided and held, or its deadline has passed.
        AlreadyVoted: OPERATOR has decided it as a reviewer; another operator must force it.
        InvalidFields: REASON is missing, too long, or holds a NUL character; or an approval
            would lack the values the function asks for.
    """
    reason = checked_reason(reason, _("Say why you force an answer; the function receives it."))
    request = desk.lock(request_id)
    now = database_now()
    operator = User.objects.get(pk=operator.pk)  # as they are called now, for four eyes
    policy.check_may_steer(request, operator)
    desk.check_open(request, now)
    check_not_voted(request, operator)
    _check_no_values_needed(request, verdict)
    decision = Decision.objects.create(
        public_id=new_public_id(),
        request=request,
        verdict=verdict,
        cause=Cause.OPERATOR,
        channel=channel,
        reviewer=operator,
        comment=reason,
        payload_sha256=request.payload_sha256,
        decided_at=now,
    )
    facts = outcome.document(request, verdict, cause=Cause.OPERATOR, at=now, decisions=[decision])
    answer = outcome.for_verdict(request, verdict, facts)
    desk.close(request, RequestState(verdict.value), at=now, answer=answer, by=operator)
    AuditEvent.objects.record(
        AuditTag.FORCED,
        request,
        at=now,
        actor=operator,
        decision=str(decision.public_id),
        verdict=str(verdict),
        channel=str(channel),
        comment=reason,
        payload_sha256=request.payload_sha256,
        answer_sha256=answer.sha256,
    )
    return decision


def check_not_voted(request: ApprovalRequest, operator: User) -> None:
    """Return if OPERATOR, under whatever account, has not decided REQUEST as a reviewer.

    Raises:
        AlreadyVoted: they have; another operator must force it.
    """
    for decision in request.decisions.standing().select_related("reviewer"):
        voter = decision.reviewer
        if voter and (voter == operator or voter.identities() & operator.identities()):
            raise AlreadyVoted(
                _("You voted on this as a reviewer: another operator must force it.")
            )


def _check_no_values_needed(request: ApprovalRequest, verdict: Verdict) -> None:
    # A function reads the values it asked for; an approval without them would break it.
    asked = (request.response_schema or {}).get("required", ())
    if verdict is Verdict.APPROVED and asked:
        raise InvalidFields(
            {
                "verdict": _(
                    "An approval needs %(asked)s from a reviewer: ask others, or force a rejection."
                )
                % {"asked": ", ".join(asked)}
            }
        )
