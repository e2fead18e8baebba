"""Whom a new request is put before, and who of them must approve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from approvals import policy
from approvals.errors import InvalidFields, NotAReviewer
from approvals.lifecycle.lookup import Lookup
from approvals.lifecycle.new_request import NewRequest
from approvals.models import ApprovalRequest, RequestKind, User
from approvals.models.standing import Standing, standings_of
from approvals.models.user import comparable
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


def find_kind(found: Lookup, slug: str) -> RequestKind:
    if found.kind is None:
        known = ", ".join(RequestKind.objects.order_by("slug").values_list("slug", flat=True))
        raise InvalidFields({"kind": f"There is no kind {slug!r}. Known kinds: {known}."})
    return found.kind


def find_pool(found: Lookup, kind: RequestKind, new: NewRequest) -> Pool:
    """The assignees NEW names; else the kind's, else the source's.

    Raises:
        InvalidFields: an unknown or reserved name, nobody asked, or fewer people who
            may decide than must.
    """
    _check_named(found, new)
    users, groups = found.users, dict(found.groups)
    groups |= {place.group_id: place.group for place in found.requirements if place.group_id}
    required = _required(new, kind, found.requirements)
    # By any of their accounts, and as policy folds names: SQL folds a few letters otherwise.
    wanting = new.wanting.names()
    wanted_by = set(found.wanted_by) | {
        person.user_id for person in found.people if person.identities & wanting
    }
    wanting = wanting.union(*found.wanted_by.values())
    eligible = [person for person in found.people if not person.identities & wanting]
    voters = policy.distinct((person.identities, person.group_ids) for person in eligible)
    if len(voters) < required:
        raise InvalidFields({"assignees": _too_few(len(voters), required, users, groups)})
    check_can_be_filled(policy.with_anybody(found.requirements, required), voters)
    return Pool(
        users=users,
        groups=groups,
        eligible_ids=tuple(person.user_id for person in eligible),
        required=required,
        requirements=found.requirements,
        wanted_by_ids=tuple(sorted(wanted_by)),
        warnings=_warnings(found, new),
    )


def eligible_of(request: ApprovalRequest) -> dict[int, Standing]:
    """The people who may decide REQUEST, as it is assigned now, by user id."""
    rows = list(request.assignments.values_list("user_id", "group_id"))
    users = {user_id for user_id, _ in rows if user_id}
    groups = {group_id for _, group_id in rows if group_id}
    people = list(
        User.objects.asked(user_ids=users, group_ids=groups)
        .reviewers(request.source_id)
        .values_list("pk", flat=True)
    )
    allowed = {}
    for pk, standing in standings_of(request, people).items():
        with suppress(NotAReviewer):
            policy.check_standing(request, standing)
            allowed[pk] = standing
    return allowed


def check_can_be_filled(places: Sequence[Place], voters: Iterable[Collection[int]]) -> None:
    """Return if VOTERS (the required groups of each) could fill all PLACES, one each.

    Raises:
        InvalidFields: they cannot; names the group that is short.
    """
    for place in policy.fill(places, voters):
        if place.missing:
            raise InvalidFields({"requirements": _too_few_of(place)})


def _required(new: NewRequest, kind: RequestKind, requirements: Sequence[Place]) -> int:
    named = sum(place.approvals for place in requirements)
    usual = 1 if new.requirements else kind.required_approvals
    return max(new.required_approvals or usual, named)


def _too_few_of(place: Place) -> str:
    return (
        f"{place.group} cannot give {place.approvals} approvals of its own: too few of its "
        "members may decide this, or they are needed for another group. Requesters may not decide."
    )


def _check_named(found: Lookup, new: NewRequest) -> None:
    """Refuse names that are nobody's, and a request that asks nobody."""
    complaints = {}
    named = bool(new.users or new.groups)
    if named and (unknown := _missing(new.users, found.users.values())):
        complaints["assignees.users"] = f"Unknown users: {', '.join(unknown)}."
    if named and (unknown := _missing(new.groups, found.groups.values())):
        complaints["assignees.groups"] = _unknown_groups(unknown)
    if complaints:
        raise InvalidFields(complaints)
    if not (found.users or found.groups or found.requirements):
        raise InvalidFields(
            {"assignees": "Name users or groups: neither the kind nor the source has a default."}
        )
    required = [each["group"] for each in new.requirements]
    if unknown := _missing(required, [place.group for place in found.requirements]):
        raise InvalidFields({"requirements": _unknown_groups(unknown)})


def _missing(wanted: Iterable[str], known: Iterable[str]) -> list[str]:
    found = set(known)
    return [name for name in wanted if name not in found]


def _unknown_groups(names: Collection[str]) -> str:
    return f"Unknown groups: {', '.join(names)}. Role names cannot be asked; name a team."


def _too_few(eligible: int, required: int, users: dict[int, str], groups: dict[int, str]) -> str:
    asked = ", ".join([*users.values(), *groups.values()])
    have = "Nobody" if not eligible else "Only one person" if eligible == 1 else f"Only {eligible}"
    need = "one is needed" if required == 1 else f"{required} are needed"
    return f"{have} of {asked} may decide this, and {need}. Requesters may not decide."


def _warnings(found: Lookup, new: NewRequest) -> tuple[str, ...]:
    """A warning for each requester string that means nobody here: it protects nothing.

    An agent seldom is somebody, so only the people behind it are warned about.
    """
    names = new.wanting.names()
    met = (person.identities for person in found.people if person.identities & names)
    known = frozenset[str]().union(*found.wanted_by.values(), *met)
    said = {"requested_by": new.wanting.requested_by, "on_behalf_of": new.wanting.on_behalf_of}
    return tuple(
        f"{field} {name!r} is nobody here: four eyes cannot recognise them."
        for field, name in said.items()
        if comparable(name) - known
    )
