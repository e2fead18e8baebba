"""People and teams by their names, as admins write them."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from approvals.errors import InvalidFields
from approvals.models import User
from approvals.models.user import ROLES


def people_called(names: Sequence[str], field: str) -> list[User]:
    """The active people with the usernames NAMES; FIELD is complained about.

    Raises:
        InvalidFields: nobody is called so, or their account is not active.
    """
    wanted = list(dict.fromkeys(names))
    found = list(User.objects.filter(username__in=wanted, is_active=True).order_by("username"))
    known = {person.username for person in found}
    if unknown := [name for name in wanted if name not in known]:
        raise InvalidFields(
            {field: _("Nobody active is called %(unknown)s.") % {"unknown": ", ".join(unknown)}}
        )
    return found


def teams_called(names: Sequence[str], field: str) -> list[Group]:
    """The groups NAMES, none of which is a role; FIELD is complained about.

    Raises:
        InvalidFields: there is no such team, or the name is that of a role.
    """
    wanted = list(dict.fromkeys(names))
    if reserved := [name for name in wanted if name in ROLES]:
        raise InvalidFields(
            {
                field: _("%(reserved)s is a role, not a team: name a team.")
                % {"reserved": ", ".join(reserved)}
            }
        )
    found = list(Group.objects.filter(name__in=wanted).order_by("name"))
    known = {team.name for team in found}
    if unknown := [name for name in wanted if name not in known]:
        raise InvalidFields(
            {field: _("There is no team %(unknown)s.") % {"unknown": ", ".join(unknown)}}
        )
    return found
