"""An operator puts a pending request before others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.utils.translation import gettext as _

from approvals import policy
from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.lifecycle import desk
from approvals.lifecycle.pool import eligible_of
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
    on as long as who cast them is still asked. Nobody asks themselves: an assignment
    counts for everybody but its maker.

    Where too few were left to give the approvals required, any step that brings them
    nearer is taken; a step that leaves too few is refused.

    Raises:
        NotAnOperator: OPERATOR may not operate the request's source.
        FourEyes: OPERATOR asked for it, or it was asked on their behalf.
        AlreadyClosed: it was closed, is decided and held, or its deadline has passed.
        InvalidFields: TO is nobody, asked already, or nobody of them could decide;
            INSTEAD_OF is not asked; REASON is missing; or too few would be left.
    """
    reason = checked_reason(reason, _("Say why others are asked."))
    request = desk.lock(request_id)
    now = database_now()
    policy.check_may_steer(request, operator)
    desk.check_open(request, now)
    former = _former(request, instead_of)
    user, group = _found(to)
    if request.assignments.filter(user=user, group=group).exists():
        raise InvalidFields(
            {"to": _("%(user)s is asked already: name somebody else.") % {"user": user or group}}
        )
    before = _still_missing(request)
    moved = _move_requirement(request, former, group) if former else None
    if former:
        former.delete()
    Assignment.objects.create(
        request=request, user=user, group=group, asked_by=operator, queue_at=request.queue_at
    )
    _check_somebody_can(request, user, group)
    _check_no_fewer(request, before)
    _check_still_open(request)
    _tell(request, user, group, at=now)
    AuditEvent.objects.record(
        AuditTag.REASSIGNED,
        request,
        at=now,
        actor=operator,
        reason=reason,
        to=str(user.username if user else group),
        instead_of=_name_of(former) if former else None,
        requirement=[moved.group.name, moved.approvals] if moved else None,
    )
    return request


def _former(request: ApprovalRequest, assignment_id: int | None) -> Assignment | None:
    if assignment_id is None:
        return None
    rows = request.assignments.select_related("user", "group")
    former = rows.filter(pk=assignment_id).first()
    if former is None:
        raise InvalidFields({"instead_of": _("They are not asked any more: look again.")})
    return former


def _found(to: Asked) -> tuple[User | None, Group | None]:
    if bool(to.username) == bool(to.group) or "\0" in to.username + to.group:
        raise InvalidFields({"to": _("Name one person or one team.")})
    if to.username:
        user = User.objects.filter(username=to.username, is_active=True).first()
        if user is None:
            raise InvalidFields(
                {"to": _("There is nobody called %(username)s.") % {"username": repr(to.username)}}
            )
        return user, None
    group = Group.objects.exclude(name__in=ROLES).filter(name=to.group).first()
    if group is None:
        raise InvalidFields({"to": _("There is no team %(group)s.") % {"group": repr(to.group)}})
    return None, group


def _move_requirement(
    request: ApprovalRequest, former: Assignment, group: Group | None
) -> Requirement | None:
    required: Requirement | None = None
    if former.group_id:
        required = request.requirements.filter(group=former.group_id).first()
    if required is None:
        return None
    if group is None:
        raise InvalidFields(
            {
                "to": _(
                    "%(approvals)s of %(group)s must approve: name a team in its place, or ask "
                    "this person as well."
                )
                % {"approvals": required.approvals, "group": former.group}
            }
        )
    required.group = group
    required.save(update_fields=["group"])
    return required


def _check_somebody_can(request: ApprovalRequest, user: User | None, group: Group | None) -> None:
    able = User.objects.filter(pk__in=eligible_of(request))
    if user:
        if not able.filter(pk=user.pk).exists():
            raise InvalidFields(
                {
                    "to": _(
                        "%(user)s may not decide this: name somebody else. It takes the reviewer "
                        "role; requesters may not, nor may whoever asks."
                    )
                    % {"user": user}
                }
            )
    elif not able.filter(groups=group).exists():
        raise InvalidFields(
            {
                "to": _(
                    "Nobody of %(group)s may decide this: name another team, or give its members "
                    "the reviewer role. Requesters may not, nor may whoever asks."
                )
                % {"group": group}
            }
        )


def _check_no_fewer(request: ApprovalRequest, before: int) -> None:
    """Refuse what would leave REQUEST without the people who could approve it."""
    after = _still_missing(request)
    if after and after >= before:
        raise InvalidFields(
            {
                "to": _(
                    "Of those asked then, %(after)s too few could give the approvals needed: "
                    "name others, or ask them as well. Requesters may not decide."
                )
                % {"after": after}
            }
        )


def _check_still_open(request: ApprovalRequest) -> None:
    """Refuse a step after which the votes cast would do: nobody would have pressed last."""
    decisions = list(request.decisions.standing().select_related("reviewer").order_by("id"))
    if decisions and not policy.tally(request, decisions).missing:
        raise InvalidFields(
            {
                "to": _(
                    "The approvals given so far would then be enough, and nobody would have "
                    "decided that: ask them as well instead."
                )
            }
        )


def _still_missing(request: ApprovalRequest) -> int:
    """How many approvals would be missing if everybody approved who may, the former voters too."""
    standings = eligible_of(request).values()
    people = policy.distinct((each.identities, each.group_ids) for each in standings)
    filled = policy.fill(policy.places_of(request), people)
    return sum(place.missing for place in filled)


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
