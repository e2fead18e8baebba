"""Whom a new request is put before, and how many of them must approve."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group

from approvals.errors import InvalidFields
from approvals.lifecycle.new_request import NewRequest
from approvals.models import CallbackSource, RequestKind, User
from approvals.models.user import ROLES, comparable


@dataclass(frozen=True, slots=True)
class Pool:
    """Who was asked, who of them may decide now, and how many distinct people must."""

    users: dict[int, str]
    groups: dict[int, str]
    eligible_ids: tuple[int, ...]
    required: int
    wanted_by_ids: tuple[int, ...]
    warnings: tuple[str, ...]

    @property
    def user_ids(self) -> list[int]:
        return list(self.users)

    @property
    def group_ids(self) -> list[int]:
        return list(self.groups)

    @property
    def usernames(self) -> list[str]:
        return list(self.users.values())

    @property
    def group_names(self) -> list[str]:
        return list(self.groups.values())


def find_kind(slug: str) -> RequestKind:
    kind = RequestKind.objects.filter(slug=slug).first()
    if kind is None:
        known = ", ".join(RequestKind.objects.order_by("slug").values_list("slug", flat=True))
        raise InvalidFields({"kind": f"There is no kind {slug!r}. Known kinds: {known}."})
    return kind


def find_pool(source: CallbackSource, kind: RequestKind, new: NewRequest) -> Pool:
    """The assignees NEW names; else the kind's, else the source's.

    Raises:
        InvalidFields: an unknown or reserved name, nobody asked, or fewer people who
            may decide than must.
    """
    users, groups = _named(new) if new.users or new.groups else _defaults(kind, source)
    required = new.required_approvals or kind.required_approvals
    people = list(
        User.objects.asked(user_ids=users, group_ids=groups)
        .reviewers()
        .only("pk", "username", "email", "subject")
    )
    wanted_by_ids, warnings = _wanted_by(new)
    eligible = tuple(person.pk for person in people if not new.wanting.includes(person))
    if len(eligible) < required:
        raise InvalidFields({"assignees": _too_few(len(eligible), required, users, groups)})
    return Pool(users, groups, eligible, required, wanted_by_ids, warnings)


def _named(new: NewRequest) -> tuple[dict[int, str], dict[int, str]]:
    complaints = {}
    users = dict(User.objects.filter(username__in=new.users).values_list("pk", "username"))
    if unknown := [name for name in new.users if name not in users.values()]:
        complaints["assignees.users"] = f"Unknown users: {', '.join(unknown)}."
    groups = dict(
        Group.objects.filter(name__in=new.groups).exclude(name__in=ROLES).values_list("pk", "name")
    )
    if unknown := [name for name in new.groups if name not in groups.values()]:
        complaints["assignees.groups"] = (
            f"Unknown groups: {', '.join(unknown)}. Role names cannot be asked; name a team."
        )
    if complaints:
        raise InvalidFields(complaints)
    return users, groups


def _defaults(kind: RequestKind, source: CallbackSource) -> tuple[dict[int, str], dict[int, str]]:
    for owner in (kind, source):
        users = dict(owner.default_users.values_list("pk", "username"))
        groups = dict(owner.default_groups.values_list("pk", "name"))
        if users or groups:
            return users, groups
    raise InvalidFields(
        {"assignees": "Name users or groups: neither the kind nor the source has a default."}
    )


def _too_few(eligible: int, required: int, users: dict[int, str], groups: dict[int, str]) -> str:
    asked = ", ".join([*users.values(), *groups.values()])
    have = "Nobody" if not eligible else "Only one person" if eligible == 1 else f"Only {eligible}"
    need = "one is needed" if required == 1 else f"{required} are needed"
    return f"{have} of {asked} may decide this, and {need}. Requesters may not decide."


def _wanted_by(new: NewRequest) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Whom the requester strings mean here, and a warning for each that means nobody.

    A name that means nobody protects nothing. An agent seldom is somebody, so only the
    people behind it are warned about.
    """
    names = new.wanting.names()
    if not names:
        return (), ()
    found = list(User.objects.called(names).only("pk", "username", "email", "subject"))
    known = frozenset[str]().union(*(person.identities() for person in found))
    said = {"requested_by": new.wanting.requested_by, "on_behalf_of": new.wanting.on_behalf_of}
    warnings = tuple(
        f"{field} {name!r} is nobody here: four eyes cannot recognise them."
        for field, name in said.items()
        if comparable(name) - known
    )
    return tuple(person.pk for person in found), warnings
