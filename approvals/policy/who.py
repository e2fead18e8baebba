"""Who may: asked at the moment of the click, of the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from approvals.errors import FourEyes, NotAnOperator, NotAReviewer
from approvals.models import ApprovalRequest, User
from approvals.models.rights import OPERATE, rights_of
from approvals.models.standing import Standing, standings_of
from approvals.models.user import comparable


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
        NotAReviewer: PERSON is inactive, holds no reviewer role here, or was not asked.
    """
    check_standing(request, standings_of(request, [person.pk]).get(person.pk))


def check_standing(request: ApprovalRequest, standing: Standing | None) -> None:
    """As `check_may_decide`, of a person whose standing is known (None: there is nobody)."""
    if standing is None or not standing.is_reviewer:
        raise NotAReviewer(_("Only a reviewer can decide. Ask an admin for the reviewer role."))
    if not standing.is_asked:
        raise NotAReviewer(_("You are not among the people asked to decide this request."))
    _check_four_eyes(request, standing)


def check_may_comment(request: ApprovalRequest, person: User) -> None:
    """Return if PERSON may talk about REQUEST, and ask its source, now.

    Those who were asked or have decided, as long as they are reviewers, who wants it
    included, and operators. Auditors read.

    Raises:
        NotAReviewer: PERSON is none of them.
    """
    standing = standings_of(request, [person.pk]).get(person.pk)
    if standing is not None and standing.is_reviewer and _has_part(request, standing):
        return
    try:
        check_may_operate(request, person)
    except NotAnOperator:
        raise NotAReviewer(
            _("Only reviewers who were asked and operators of this source can comment.")
        ) from None


def _has_part(request: ApprovalRequest, standing: Standing) -> bool:
    return standing.is_asked or request.decisions.filter(reviewer=standing.user_id).exists()


def check_may_operate(request: ApprovalRequest, person: User) -> None:
    """Return if PERSON may take REQUEST back, or redrive its answer, now.

    Raises:
        NotAnOperator: PERSON is inactive, or no operator of the request's source.
    """
    fresh = User.objects.only("is_active", "is_superuser").filter(pk=person.pk).first()
    rights = fresh and rights_of(
        fresh.pk, is_active=fresh.is_active, is_superuser=fresh.is_superuser
    )
    if not (rights and rights.may(OPERATE, request.source_id)):
        raise NotAnOperator(_("Only an operator of this source can do that."))


def check_may_steer(request: ApprovalRequest, person: User) -> None:
    """Return if PERSON may force an answer to REQUEST, or say who else is asked.

    An operator, and not who wants it: who chooses the deciders decides.

    Raises:
        NotAnOperator, FourEyes: as said.
    """
    check_may_operate(request, person)
    _check_four_eyes(request, standings_of(request, [person.pk])[person.pk])


def _check_four_eyes(request: ApprovalRequest, standing: Standing) -> None:
    if standing.is_requester or Wanting.of(request).names() & standing.identities:
        raise FourEyes(
            _("You asked for this, or it is made on your behalf: somebody else must decide.")
        )


def may_decide(request: ApprovalRequest, person: User) -> str:
    """Why PERSON cannot decide REQUEST, in a sentence; empty if they can."""
    try:
        check_may_decide(request, person)
    except NotAReviewer as refusal:
        return str(refusal)
    return ""


def may_comment(request: ApprovalRequest, person: User) -> str:
    """Why PERSON cannot talk about REQUEST, in a sentence; empty if they can."""
    try:
        check_may_comment(request, person)
    except NotAReviewer as refusal:
        return str(refusal)
    return ""
