"""Roles held at one source, given and taken."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.keeping import desk
from approvals.keeping.names import people_called, teams_called
from approvals.models import ChangeEvent, SourceRole, User
from approvals.states import ChangeTag


@transaction.atomic(durable=True)
def give_role(
    slug: str, *, may: str, username: str = "", group: str = "", admin: User | None
) -> SourceRole:
    """Let one person, or every member of one team, MAY at the source SLUG.

    Raises:
        NotAnAdmin: ADMIN is none (any more).
        InvalidFields: MAY is no role of a source, neither or both are named, they do not
            exist, GROUP is a role itself, or they hold this one already.
    """
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    if may not in SourceRole.Right.values:
        raise InvalidFields({"may": _("Choose reviewer, operator or auditor.")})
    if bool(username) == bool(group):
        raise InvalidFields({"username": _("Name one person or one team.")})
    user = people_called([username], "username")[0] if username else None
    team = teams_called([group], "group")[0] if group else None
    if source.roles.filter(may=may, user=user, group=team).exists():
        field = "username" if user else "group"
        raise InvalidFields(
            {
                field: _("%(username)s holds this role here already.")
                % {"username": username or group}
            }
        )
    role = SourceRole.objects.create(source=source, may=may, user=user, group=team)
    _record(ChangeTag.ROLE_GIVEN, slug, role, admin)
    return role


@transaction.atomic(durable=True)
def take_role(slug: str, role_id: int, *, admin: User | None) -> bool:
    """Take a role held at the source SLUG; False if nobody holds it (any more)."""
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    role = source.roles.select_related("user", "group").filter(pk=role_id).first()
    if role is None:
        return False
    _record(ChangeTag.ROLE_TAKEN, slug, role, admin)
    role.delete()
    return True


def _record(tag: ChangeTag, slug: str, role: SourceRole, by: User | None) -> None:
    ChangeEvent.objects.record(
        *(tag, desk.source_subject(slug)),
        at=database_now(),
        actor=by,
        may=role.may,
        user=role.user.username if role.user else None,
        group=role.group.name if role.group else None,
    )
