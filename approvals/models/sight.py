"""May this person see this one request? Answered by the row's own indexes.

`visible_to` is for lists; for one row it would gather all that the person was ever asked.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals.models.assignment import Assignment
from approvals.models.decision import Decision
from approvals.models.request import ApprovalRequest
from approvals.models.request_rows import ApprovalRequestQuerySet
from approvals.models.source_role import SourceRole
from approvals.models.user import User


def seen_by(user: User) -> ApprovalRequestQuerySet:
    """The requests USER may see: all they oversee, and what they were asked.

    Rights are read in the same statement, so that looking again costs one.
    """
    if user.is_superuser and user.is_active:
        return ApprovalRequest.objects.all()
    this = OuterRef("pk")
    asked = Assignment.objects.filter(request=this)
    return ApprovalRequest.objects.filter(
        Exists(asked.filter(user=user))
        | Exists(asked.filter(group__in=user.groups.values("pk")))
        | Exists(Decision.objects.filter(request=this, reviewer=user))
        | Exists(_rights_to_everything(user))
        | Exists(_roles_at(OuterRef("source"), user))
    )


def _rights_to_everything(user: User) -> QuerySet[Permission]:
    return Permission.objects.filter(
        Q(group__user=user) | Q(user=user),
        content_type__app_label="approvals",
        codename__in=["operate", "audit"],
    )


def _roles_at(source: OuterRef, user: User) -> QuerySet[SourceRole]:
    held = SourceRole.objects.filter(source=source, may__in=["operate", "audit"])
    return held.filter(Q(user=user) | Q(group__in=user.groups.values("pk")))


def who_see(request: ApprovalRequest, names: Collection[str]) -> list[User]:
    """Those called NAMES (usernames, in any case) who are active and may see REQUEST."""
    if not names:
        return []
    found = User.objects.raw(
        _WHO_SEE, {"names": [name.lower() for name in names], "request": request.pk}
    )
    return list(found)


def sees(person: str) -> str:
    """As `seen_by`, in SQL: True where PERSON, an expression for an id, may see the request `r`.

    For statements whose plan is kept. Superusers are for the caller to let pass.
    """
    teams = f"(SELECT group_id FROM approvals_user_groups WHERE user_id = {person})"  # noqa: S608  # nosec B608
    return f"""(
      EXISTS (SELECT 1 FROM approvals_assignment a
               WHERE a.request_id = r.id AND (a.user_id = {person} OR a.group_id IN {teams}))
   OR EXISTS (SELECT 1 FROM approvals_decision d
               WHERE d.request_id = r.id AND d.reviewer_id = {person})
   OR EXISTS (SELECT 1 FROM auth_permission p
                JOIN django_content_type ct
                  ON ct.id = p.content_type_id AND ct.app_label = 'approvals'
               WHERE p.codename IN ('operate', 'audit')
                 AND (EXISTS (SELECT 1 FROM auth_group_permissions gp
                               WHERE gp.permission_id = p.id AND gp.group_id IN {teams})
                   OR EXISTS (SELECT 1 FROM approvals_user_user_permissions up
                               WHERE up.permission_id = p.id AND up.user_id = {person})))
   OR EXISTS (SELECT 1 FROM approvals_sourcerole held
               WHERE held.source_id = r.source_id AND held.may IN ('operate', 'audit')
                 AND (held.user_id = {person} OR held.group_id IN {teams})))"""  # noqa: S608  # nosec B608


_WHO_SEE = f"""
SELECT u.* FROM approvals_user u, approvals_approvalrequest r
 WHERE r.id = %(request)s AND lower(u.username) = ANY(%(names)s) AND u.is_active
   AND (u.is_superuser OR {sees("u.id")})
 ORDER BY u.id"""  # noqa: S608  # nosec B608
