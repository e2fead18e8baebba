"""An operator puts a pending request before others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import connection, transaction

from approvals import policy
from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.lifecycle import desk
from approvals.lifecycle.pool import check_can_be_met, eligible_of
from approvals.lifecycle.reason import checked_reason
from approvals.models import ApprovalRequest, Assignment, AuditEvent, Requirement, User
from approvals.models.user import ROLES
from approvals.states import AuditTag, NoticeKind


@dataclass(frozen=True, slots=True)
class Asked:
    """One person or one team; exactly one of the two is named."""

    username: str = ""
    group: str = ""


@transaction.atomic(durable=True)
def reassign(
    request_id: int, *, operator: User, to: Asked, instead_of: int | None, reason: str
) -> ApprovalRequest:
    """Ask TO, beside those who are asked or INSTEAD_OF one of them (an assignment's id).

    What is required stays: where a requirement names the group that is replaced, it
    moves to the new group with the same number of approvals. Votes that were cast count
    on as long as who cast them is still asked. Whoever reassigns a request to themselves
    gains nothing: an assignment counts for everybody but its maker.

    Raises:
        NotAnOperator: OPERATOR may not operate the request's source.
        AlreadyClosed: it was closed, or its deadline has passed.
        InvalidFields: TO is nobody or asked already, INSTEAD_OF is not asked, REASON is
            missing, or those asked could no longer give the approvals required.
    """
    reason = checked_reason(reason, "Say why others are asked.")
    request = desk.lock(request_id)
    now = database_now()
    policy.check_may_operate(request, operator)
    desk.check_open(request, now)
    former = _former(request, instead_of)
    user, group = _found(to)
    if request.assignments.filter(user=user, group=group).exists():
        raise InvalidFields({"to": f"{user or group} is asked already: name somebody else."})
    if former:
        _move_requirement(request, former, group)
        former.delete()
    Assignment.objects.create(
        request=request, user=user, group=group, asked_by=operator, queue_at=request.queue_at
    )
    _check_can_be_met(request)
    _tell(request, user, group, at=now)
    AuditEvent.objects.record(
        AuditTag.REASSIGNED,
        request,
        at=now,
        actor=operator,
        reason=reason,
        to=str(user.username if user else group),
        instead_of=_name_of(former) if former else None,
    )
    return request


def _former(request: ApprovalRequest, assignment_id: int | None) -> Assignment | None:
    if assignment_id is None:
        return None
    rows = request.assignments.select_related("user", "group")
    former = rows.filter(pk=assignment_id).first()
    if former is None:
        raise InvalidFields({"instead_of": "They are not asked any more: look again."})
    return former


def _found(to: Asked) -> tuple[User | None, Group | None]:
    if bool(to.username) == bool(to.group):
        raise InvalidFields({"to": "Name one person or one team."})
    if to.username:
        user = User.objects.filter(username=to.username, is_active=True).first()
        if user is None:
            raise InvalidFields({"to": f"There is nobody called {to.username!r}."})
        return user, None
    group = Group.objects.exclude(name__in=ROLES).filter(name=to.group).first()
    if group is None:
        raise InvalidFields({"to": f"There is no team {to.group!r}."})
    return None, group


def _move_requirement(request: ApprovalRequest, former: Assignment, group: Group | None) -> None:
    required: Requirement | None = None
    if former.group_id:
        required = request.requirements.filter(group=former.group_id).first()
    if required is None:
        return
    if group is None:
        raise InvalidFields(
            {
                "to": f"{required.approvals} of {former.group} must approve: name a team in "
                "its place, or ask this person as well."
            }
        )
    required.group = group
    required.save(update_fields=["group"])


def _check_can_be_met(request: ApprovalRequest) -> None:
    """Refuse what would leave REQUEST without the people who could decide it."""
    eligible = eligible_of(request)
    if len(eligible) < request.required_approvals:
        raise InvalidFields(
            {
                "to": f"{len(eligible) or 'Nobody'} of those asked could decide this then, and "
                f"{request.required_approvals} must. Requesters may not decide."
            }
        )
    try:
        check_can_be_met(policy.places_of(request), eligible)
    except InvalidFields as refusal:
        raise InvalidFields({"to": refusal.fields["requirements"]}) from None


def _tell(
    request: ApprovalRequest, user: User | None, group: Group | None, *, at: datetime
) -> None:
    # Whether a mail still makes sense is decided when it is sent (notices.outbox).
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO approvals_notice
                   (request_id, user_id, kind, state, owed_at, next_attempt_at, attempts, detail)
            SELECT %s, u.id, %s, 'pending', %s, %s, 0, ''
              FROM approvals_user u
             WHERE u.is_active
               AND (u.id = %s OR u.id IN (SELECT user_id FROM approvals_user_groups
                                           WHERE group_id = %s))
            ON CONFLICT DO NOTHING
            """,
            [
                *(request.pk, NoticeKind.ASKED, at, at),
                *(user.pk if user else None, group.pk if group else None),
            ],
        )


def _name_of(assignment: Assignment) -> str:
    return assignment.user.username if assignment.user else str(assignment.group)
