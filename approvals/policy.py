"""Who may, and what is still needed. One gate for every way in; it fails closed.

What is required was frozen into the request when it was opened. Who is eligible is
asked at the moment of the click, of the database, never of a copied list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from approvals.errors import FourEyes, NotAReviewer
from approvals.models import ApprovalRequest, Decision, User
from approvals.models.user import comparable
from approvals.states import Verdict


@dataclass(frozen=True, slots=True)
class Wanting:
    """On whose wish a request stands: none of them may decide it."""

    requested_by: str = ""
    on_behalf_of: str = ""
    agent: str = ""

    @classmethod
    def of(cls, request: ApprovalRequest) -> Wanting:
        return cls(request.requested_by, request.on_behalf_of, request.agent)

    def names(self) -> frozenset[str]:
        return comparable(self.requested_by, self.on_behalf_of, self.agent)

    def includes(self, person: User) -> bool:
        return bool(self.names() & person.identities())


def check_may_decide(request: ApprovalRequest, person: User) -> None:
    """Return if PERSON may decide REQUEST now.

    Raises:
        FourEyes: PERSON asked for it, or it was asked on their behalf.
        NotAReviewer: PERSON is inactive, holds no reviewer role, or was not asked.
    """
    if not (person.is_active and person.has_perm("approvals.review")):
        raise NotAReviewer("Only a reviewer can decide. Ask an admin for the reviewer role.")
    if not is_asked(request, person):
        raise NotAReviewer("You are not among the people asked to decide this request.")
    if person.pk in request.wanted_by_ids or Wanting.of(request).includes(person):
        raise FourEyes(
            "You asked for this, or it is made on your behalf: somebody else must decide."
        )


def is_asked(request: ApprovalRequest, person: User) -> bool:
    """True if PERSON is assigned by name, or is a member of an assigned group now."""
    groups = person.groups.values("pk")
    assigned = request.assignments.filter(user=person) | request.assignments.filter(
        group__in=groups
    )
    return assigned.exists()


def may_decide(request: ApprovalRequest, person: User) -> str:
    """Why PERSON cannot decide REQUEST, in a sentence; empty if they can."""
    try:
        check_may_decide(request, person)
    except NotAReviewer as refusal:
        return str(refusal)
    return ""


def counted(request: ApprovalRequest, decisions: Iterable[Decision]) -> list[Decision]:
    """The approvals that count now: one per person, and only of who may still decide.

    Two accounts that share a name, a mail address or a subject are one person.
    """
    people: set[str] = set()
    counting = []
    for decision in decisions:
        reviewer = decision.reviewer
        if decision.verdict != Verdict.APPROVED or reviewer is None:
            continue
        if people & reviewer.identities() or may_decide(request, reviewer):
            continue
        people |= reviewer.identities()
        counting.append(decision)
    return counting


def approvals_missing(request: ApprovalRequest, decisions: Iterable[Decision]) -> int:
    """How many more distinct people must approve; 0 when enough have."""
    return max(0, request.required_approvals - len(counted(request, decisions)))
