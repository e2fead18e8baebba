"""A decision is held: it is made, its answer is frozen, and nothing is owed to AWS yet.

The request stays pending with `held_until`. Whoever decided may take it back until then
(lifecycle.undo); a sweep concludes it after (lifecycle.conclude). Whatever ends the request
in between lets the decision fall.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from approvals import keyring
from approvals.lifecycle.outcome import OwedAnswer
from approvals.models import ApprovalRequest, Decision, HeldAnswer
from approvals.models.delivery import body_place

#: With less time than this to the deadline, only a share of it is given to second thoughts.
SHORT = timedelta(minutes=2)
SHARE = 12
#: With less than this, none: the answer must reach AWS.
TOO_SHORT = timedelta(seconds=30)


def window(request: ApprovalRequest, at: datetime) -> timedelta:
    """How long a decision on REQUEST made AT can be taken back; 0: not at all.

    Its kind's `undo_seconds`, less near the deadline, so that a hold ends before it.
    """
    usual = timedelta(seconds=request.kind.undo_seconds)
    if request.answer_by is None:
        return usual
    left = request.answer_by - at
    if left < TOO_SHORT:
        return timedelta(0)
    return min(usual, left / SHARE) if left < SHORT else usual


def held(decision: Decision, answer: OwedAnswer) -> HeldAnswer:
    """ANSWER as it is kept until DECISION's hold is over; not saved."""
    request = decision.request
    return HeldAnswer(
        request=request,
        decision=decision,
        verb=answer.verb,
        sealed_body=keyring.seal(answer.body, place=body_place(request.pk)),
    )


def let_fall(request: ApprovalRequest, *, at: datetime) -> Decision | None:
    """Take back what is held of a locked REQUEST, which is pending; None if nothing is."""
    if request.held_until is None:
        return None
    answer = HeldAnswer.objects.select_related("decision__reviewer").get(request=request)
    retract(answer.decision, at=at)
    request.held_until = None
    request.save(update_fields=["held_until"])
    answer.delete()
    return answer.decision


def retract(decision: Decision, *, at: datetime) -> None:
    """DECISION counts for nothing any more; the row stays."""
    decision.retracted_at = at
    decision.save(update_fields=["retracted_at"])
