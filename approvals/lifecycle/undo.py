"""Whoever decided takes it back, while it can be."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.clock import database_now
from approvals.errors import NothingToUndo, NotYourDecision
from approvals.lifecycle import desk
from approvals.lifecycle.hold import let_fall, retract
from approvals.models import ApprovalRequest, AuditEvent, Decision, User
from approvals.states import AuditTag, Cause, Verdict


@transaction.atomic(durable=True)
def undo(request_id: int, *, reviewer: User) -> Decision:
    """Take back REVIEWER's decision, the last on the request; they may decide again.

    A held decision until its hold is over, a vote that left others to be asked as long as
    a decision could be held: in both cases as long as nobody has decided after it. The
    decision stays, retracted; AWS was told nothing.

    Raises:
        NotYourDecision: others have decided, not REVIEWER.
        NothingToUndo: too late, or taken back before; says since when.
    """
    request = desk.lock(request_id)
    now = database_now()
    decision = _last_of(request, reviewer)
    if not request.is_pending:
        raise NothingToUndo(
            _("Too late to take it back. %(request)s") % {"request": desk.closing_sentence(request)}
        )
    if is_over(request, decision, now):
        raise NothingToUndo(_("Too late to take it back: your time for that has passed."))
    if request.held_until is None:
        retract(decision, at=now)
    else:
        let_fall(request, at=now)
    AuditEvent.objects.record(
        AuditTag.UNDONE,
        request,
        at=now,
        actor=reviewer,
        undone=str(decision.public_id),
        verdict=str(decision.verdict),
    )
    return decision


def is_over(request: ApprovalRequest, decision: Decision, now: datetime) -> bool:
    """Whether DECISION, the last on REQUEST, can no longer be taken back at NOW."""
    # A hold may have been cut since, as a deadline came nearer.
    until = request.held_until or decision.undo_until
    return until is None or now >= until


def _last_of(request: ApprovalRequest, reviewer: User) -> Decision:
    """The last that a person made and that stands, if it is REVIEWER's."""
    people = request.decisions.standing().filter(cause=Cause.PERSON)
    standing = list(people.select_related("reviewer").order_by("id"))
    if not any(decision.reviewer_id == reviewer.pk for decision in standing):
        if standing:
            raise NotYourDecision(
                _("Only %(who)s can take that decision back.") % {"who": standing[-1].who}
            )
        raise NothingToUndo(_("There is no decision of yours to take back."))
    last = standing[-1]
    if last.reviewer_id != reviewer.pk:
        if last.verdict == Verdict.APPROVED:
            raise NothingToUndo(
                _("%(who)s approved this after you: yours stands.") % {"who": last.who}
            )
        raise NothingToUndo(_("%(who)s rejected this after you: yours stands.") % {"who": last.who})
    return last
