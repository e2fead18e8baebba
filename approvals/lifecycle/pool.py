"""Whom a new request is put before, and who of them must approve."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.contrib.auth.models import Group

from approvals import policy
from approvals.errors import InvalidFields, NotAReviewer
from approvals.lifecycle.new_request import NewRequest
from approvals.models import ApprovalRequest, CallbackSource, RequestKind, User
from approvals.models.standing import standings_of
from approvals.models.user import ROLES, comparable
from approvals.policy import Place


@dataclass(frozen=True, slots=True)
class Pool:
    """Who was asked, who of them may decide now, and what is required of them.

    REQUIRED: approvals in all; REQUIREMENTS: which groups some of them must come from.
    """

    users: dict[int, str]
    groups: dict[int, str]
    eligible_ids: tuple[int, ...]
    required: int
    requirements: tuple[Place, ...]
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
    requirements = _requirements(new, kind)
    groups |= {place.group_id: place.group for place in requirements if place.group_id}
    required = _required(new, kind, requirements)
    people = list(
        User.objects.asked(user_ids=users, group_ids=groups)
        .reviewers(source.pk)
        .only("pk", "username", "email", "subject")
    )
    wanted_by_ids, warnings = _wanted_by(new)
    eligible = tuple(person.pk for person in people if not new.wanting.includes(person))
    if len(eligible) < required:
        raise InvalidFields({"assignees": _too_few(len(eligible), required, users, groups)})
    check_can_be_met(policy.with_anybody(requirements, required), eligible)
    return Pool(users, groups, eligible, required, tuple(requirements), wanted_by_ids, warnings)


def eligible_of(request: ApprovalRequest) -> list[int]:
    """The people who may decide REQUEST, as it is assigned now."""
    rows = list(request.assignments.values_list("user_id", "group_id"))
    users = {user_id for user_id, _ in rows if user_id}
    groups = {group_id for _, group_id in rows if group_id}
    people = list(
        User.objects.asked(user_ids=users, group_ids=groups)
        .reviewers(request.source_id)
        .values_list("pk", flat=True)
    )
    allowed = []
    for pk, standing in standings_of(request, people).items():
        with suppress(NotAReviewer):
            policy.check_standing(request, standing)
            allowed.append(pk)
    return allowed


def check_can_be_met(places: Sequence[Place], eligible_ids: Collection[int]) -> None:
    """Return if the people of ELIGIBLE_IDS could fill all PLACES, one each.

    Raises:
        InvalidFields: they cannot; names the group that is short.
    """
    wanted = [place.group_id for place in places if place.group_id]
    if not wanted:
        return
    members: dict[int, set[int]] = {pk: set() for pk in eligible_ids}
    rows = User.groups.through.objects.filter(group_id__in=wanted, user_id__in=members)
    for user_id, group_id in rows.values_list("user_id", "group_id"):
        members[user_id].add(group_id)
    for place in policy.fill(places, members.values()):
        if place.missing:
            raise InvalidFields({"requirements": _too_few_of(place)})


def _requirements(new: NewRequest, kind: RequestKind) -> list[Place]:
    if not new.requirements:
        rows = kind.requirements.select_related("group").order_by("pk")
        return [Place(row.group_id, row.group.name, row.approvals) for row in rows]
    wanted = {each["group"]: each["approvals"] for each in new.requirements}
    known = _teams(wanted)
    if unknown := [name for name in wanted if name not in known.values()]:
        raise InvalidFields({"requirements": _unknown_groups(unknown)})
    ids = {name: pk for pk, name in known.items()}
    return [Place(ids[name], name, approvals) for name, approvals in wanted.items()]


def _required(new: NewRequest, kind: RequestKind, requirements: Sequence[Place]) -> int:
    named = sum(place.approvals for place in requirements)
    usual = 1 if new.requirements else kind.required_approvals
    return max(new.required_approvals or usual, named)


def _too_few_of(place: Place) -> str:
    return (
        f"{place.group} cannot give {place.approvals} approvals of its own: too few of its "
        "members may decide this, or they are needed for another group. Requesters may not decide."
    )


def _named(new: NewRequest) -> tuple[dict[int, str], dict[int, str]]:
    complaints = {}
    users = dict(User.objects.filter(username__in=new.users).values_list("pk", "username"))
    if unknown := [name for name in new.users if name not in users.values()]:
        complaints["assignees.users"] = f"Unknown users: {', '.join(unknown)}."
    groups = _teams(new.groups)
    if unknown := [name for name in new.groups if name not in groups.values()]:
        complaints["assignees.groups"] = _unknown_groups(unknown)
    if complaints:
        raise InvalidFields(complaints)
    return users, groups


def _teams(names: Collection[str]) -> dict[int, str]:
    teams = Group.objects.filter(name__in=names).exclude(name__in=ROLES)
    return dict(teams.values_list("pk", "name"))


def _unknown_groups(names: Collection[str]) -> str:
    return f"Unknown groups: {', '.join(names)}. Role names cannot be asked; name a team."


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
