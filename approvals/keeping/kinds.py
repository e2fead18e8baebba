"""Kinds of request: made and changed. What is open was frozen on receipt and stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.keeping import desk, presentation_shape
from approvals.keeping.names import people_called, teams_called
from approvals.models import ChangeEvent, KindRequirement, RequestKind, User
from approvals.models.kind import LONGEST_UNDO, USUAL_UNDO
from approvals.states import BulkRule, ChangeTag, OnReject, OnTimeout

MOST_APPROVALS = 100
MOST_REASONS = 20
#: An execution lives at most 366 days (ExecutionTimeout, Lambda API).
LONGEST_SECONDS = 366 * 24 * 60 * 60
_COLUMNS = (
    "label", "presentation", "required_approvals", "on_reject", "on_timeout", "reject_reasons",
    "timeout_seconds", "due_in_seconds", "undo_seconds", "bulk",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFields:
    """What an admin says of a kind.

    REQUIREMENTS: teams some approvals must come from, each with how many. Seconds None:
    that clock does not run unless the sender says so.
    """

    label: str
    presentation: Any = field(default_factory=dict)
    required_approvals: int = 1
    requirements: Sequence[tuple[str, int]] = ()
    reject_reasons: Sequence[str] = ()
    on_reject: str = OnReject.FAILURE
    on_timeout: str = OnTimeout.FAIL
    timeout_seconds: int | None = None
    due_in_seconds: int | None = None
    undo_seconds: int = USUAL_UNDO
    bulk: str = BulkRule.LOW_RISK
    default_users: Sequence[str] = ()
    default_groups: Sequence[str] = ()


@transaction.atomic(durable=True)
def make_kind(slug: str, fields: KindFields, *, admin: User | None) -> RequestKind:
    """A kind that senders name SLUG.

    Raises:
        NotAnAdmin: ADMIN is none (any more).
        InvalidFields: SLUG is taken or malformed, or one of FIELDS makes no sense.
    """
    desk.check_may_keep(admin)
    kind = RequestKind(slug=slug)
    _write(kind, fields, {"slug": desk.slug_complaint(slug)})
    try:
        kind.save(force_insert=True)
    except IntegrityError:  # somebody else took the name this moment
        raise InvalidFields({"slug": _("There is a kind of this name already.")}) from None
    _relate(kind, fields)
    ChangeEvent.objects.record(
        *(ChangeTag.KIND_MADE, desk.kind_subject(slug)),
        at=database_now(),
        actor=admin,
        **_facts(kind),
    )
    return kind


@transaction.atomic(durable=True)
def change_kind(
    slug: str, fields: KindFields, *, admin: User | None, seen: int | None = None
) -> list[str]:
    """Give the kind SLUG these FIELDS, for requests to come; the names of those that changed.

    How a payload is laid out and which reasons are offered is read when a page is drawn,
    how long a decision is held, and what is decided together, when somebody decides;
    all that decides was frozen into each request on receipt. SEEN: the line of history
    the admin looked at (desk.version_of).

    Raises:
        NotAnAdmin, InvalidFields: as `make_kind`.
        StalePage: somebody changed it since SEEN.
    """
    kind = desk.lock_kind(slug)
    desk.check_may_keep(admin)
    desk.check_seen(desk.kind_subject(slug), seen)
    before = _facts(kind)
    _write(kind, fields)
    kind.save(update_fields=_COLUMNS)
    _relate(kind, fields)
    changed = desk.differences(before, _facts(kind))
    if changed:
        ChangeEvent.objects.record(
            *(ChangeTag.KIND_CHANGED, desk.kind_subject(slug)),
            at=database_now(),
            actor=admin,
            changed=changed,
        )
    return list(changed)


def _write(
    kind: RequestKind, fields: KindFields, complaints: Mapping[str, str] | None = None
) -> None:
    own = {
        "presentation": " ".join(islice(presentation_shape.complaints(fields.presentation), 5)),
        "required_approvals": _approvals_complaint(fields),
        "requirements": _requirements_complaint(fields.requirements),
        "reject_reasons": _reasons_complaint(fields.reject_reasons),
        "timeout_seconds": _seconds_complaint(fields.timeout_seconds),
        "due_in_seconds": _due_complaint(fields),
        "undo_seconds": _undo_complaint(fields.undo_seconds),
    }
    desk.refuse({**(complaints or {}), **own})
    for column in _COLUMNS:
        setattr(kind, column, getattr(fields, column))
    kind.reject_reasons = list(fields.reject_reasons)
    desk.check_row(kind)


def _approvals_complaint(fields: KindFields) -> str:
    if not 1 <= fields.required_approvals <= MOST_APPROVALS:
        return _("Choose 1 to %(most_approvals)s.") % {"most_approvals": MOST_APPROVALS}
    named = sum(approvals for _, approvals in fields.requirements)
    if named > fields.required_approvals:
        return _("The teams below ask for %(named)s together: choose %(named2)s or more.") % {
            "named": named,
            "named2": named,
        }
    return ""


def _requirements_complaint(requirements: Sequence[tuple[str, int]]) -> str:
    if any(not 1 <= approvals <= MOST_APPROVALS for _, approvals in requirements):
        return _("Ask 1 to %(most_approvals)s approvals of a team.") % {
            "most_approvals": MOST_APPROVALS
        }
    teams = [team for team, _ in requirements]
    if twice := {team for team in teams if teams.count(team) > 1}:
        return _("%(twice)s is named twice: put it in one row.") % {
            "twice": ", ".join(sorted(twice))
        }
    return ""


def _reasons_complaint(reasons: Sequence[str]) -> str:
    if len(reasons) > MOST_REASONS:
        return _("Offer %(most_reasons)s reasons at most.") % {"most_reasons": MOST_REASONS}
    if any(not reason.strip() or len(reason) > 120 for reason in reasons):
        return _("Keep each reason within 120 characters, one per line.")
    if len(set(reasons)) < len(reasons):
        return _("A reason stands here twice: keep one of them.")
    return ""


def _seconds_complaint(seconds: int | None) -> str:
    if seconds is None or 1 <= seconds <= LONGEST_SECONDS:
        return ""
    return _("Choose a time of up to 366 days, or leave it empty.")


def _due_complaint(fields: KindFields) -> str:
    timeout, due = fields.timeout_seconds, fields.due_in_seconds
    if due and timeout and due >= timeout:
        return _("Choose less than the timeout: a request is due before it ends.")
    return _seconds_complaint(due)


def _undo_complaint(seconds: int) -> str:
    return (
        ""
        if 0 <= seconds <= LONGEST_UNDO
        else _("Choose 0 to %(longest_undo)s seconds.") % {"longest_undo": LONGEST_UNDO}
    )


def _relate(kind: RequestKind, fields: KindFields) -> None:
    kind.default_users.set(people_called(fields.default_users, "default_users"))
    kind.default_groups.set(teams_called(fields.default_groups, "default_groups"))
    wanted = dict(fields.requirements)
    teams = teams_called(list(wanted), "requirements")
    kind.requirements.exclude(group__in=teams).delete()
    for team in teams:
        KindRequirement.objects.update_or_create(
            kind=kind, group=team, defaults={"approvals": wanted[team.name]}
        )


def _facts(kind: RequestKind) -> Mapping[str, Any]:
    rows = kind.requirements.select_related("group").order_by("group__name")
    return {column: getattr(kind, column) for column in _COLUMNS} | {
        "requirements": [f"{row.approvals} of {row.group.name}" for row in rows],
        "default_users": sorted(kind.default_users.values_list("username", flat=True)),
        "default_groups": sorted(kind.default_groups.values_list("name", flat=True)),
    }
