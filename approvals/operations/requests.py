"""What the operate page offers for one request: whom it can be put before, what can be forced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group

from approvals import policy
from approvals.errors import AlreadyVoted, FourEyes, NotAnOperator
from approvals.lifecycle.force import check_not_voted
from approvals.models import ApprovalRequest, Assignment, User
from approvals.models.user import ROLES
from approvals.operations.forms import ForceForm, OperateForm, ReassignForm, TakeBackForm

#: A select with more lines than this helps nobody; usernames can be written.
LISTED = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """The three forms about one request, and what they say around them.

    MISSING: approvals that a forced one would stand in for; WHY_NOT: why this operator
    cannot force it, WHY_NOT_ASK why they cannot ask others; a sentence, or empty.
    """

    reassign: OperateForm
    take_back: OperateForm
    force: OperateForm
    missing: int
    why_not: str
    why_not_ask: str


def forms_for(
    request: ApprovalRequest, operator: User, verb: str = "", data: Mapping[str, Any] | None = None
) -> dict[str, OperateForm]:
    """The forms, that of VERB filled with DATA."""
    posted = {verb: data}
    return {
        ReassignForm.verb: _reassign_form(request, operator, posted.get(ReassignForm.verb)),
        TakeBackForm.verb: TakeBackForm(posted.get(TakeBackForm.verb)),
        ForceForm.verb: ForceForm(posted.get(ForceForm.verb)),
    }


def desk_of(request: ApprovalRequest, operator: User, forms: Mapping[str, OperateForm]) -> Desk:
    decisions = list(request.decisions.standing().select_related("reviewer").order_by("id"))
    why_not_ask = _why_not_steered(request, operator)
    return Desk(
        reassign=forms[ReassignForm.verb],
        take_back=forms[TakeBackForm.verb],
        force=forms[ForceForm.verb],
        missing=policy.tally(request, decisions).missing,
        why_not=_why_not_voted(request, operator) or why_not_ask,
        why_not_ask=why_not_ask,
    )


def _why_not_voted(request: ApprovalRequest, operator: User) -> str:
    try:
        check_not_voted(request, operator)
    except AlreadyVoted as refusal:
        return str(refusal)
    return ""


def _why_not_steered(request: ApprovalRequest, operator: User) -> str:
    try:
        policy.check_may_steer(request, operator)
    except (FourEyes, NotAnOperator) as refusal:
        return str(refusal)
    return ""


def _reassign_form(
    request: ApprovalRequest, operator: User, data: Mapping[str, Any] | None
) -> ReassignForm:
    rows = list(
        Assignment.objects.filter(request=request).select_related("user", "group").order_by("pk")
    )
    people = _people(request, operator, [row.user_id for row in rows if row.user_id])
    return ReassignForm(
        [(row.pk, row.user.display_name if row.user else str(row.group)) for row in rows],
        _teams([row.group_id for row in rows if row.group_id]),
        people[:LISTED],
        more_people=len(people) > LISTED,
        data=data,
    )


def _teams(asked: list[int]) -> list[str]:
    teams = Group.objects.exclude(name__in=ROLES).exclude(pk__in=asked).order_by("name")
    return list(teams.values_list("name", flat=True)[:LISTED])


def _people(request: ApprovalRequest, operator: User, asked: list[int]) -> list[tuple[str, str]]:
    """Who could decide it, were they asked: usernames, and how they are called."""
    able = User.objects.reviewers(request.source_id).exclude(
        pk__in=[*asked, *request.wanted_by_ids, operator.pk]
    )
    found = able.only("username", "first_name", "last_name").order_by("username")[: LISTED + 1]
    return [(person.username, f"{person.display_name} ({person.username})") for person in found]
