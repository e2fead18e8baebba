"""Sources: made, changed, disabled and enabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.keeping import addresses, desk
from approvals.keeping.names import people_called, teams_called
from approvals.models import CallbackSource, ChangeEvent, Circuit, SourceKey, SourceSecret, User
from approvals.states import ChangeTag

_COLUMNS = (
    "name", "region", "endpoint_url", "role_arn", "external_id", "function_arns",
    "allow_local_runner", "verify_callbacks", "questions_url", "questions_mail",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFields:
    """What an admin says of a source. Empty `endpoint_url`: AWS's own; empty `role_arn`:
    the portal's own credentials. Questions of reviewers go to one of `questions_url`,
    `questions_mail`; with neither its functions look for them. Defaults are usernames and
    names of teams.
    """

    name: str
    region: str
    endpoint_url: str = ""
    role_arn: str = ""
    external_id: str = ""
    function_arns: Sequence[str] = ()
    allow_local_runner: bool = False
    verify_callbacks: bool = False
    questions_url: str = ""
    questions_mail: str = ""
    default_users: Sequence[str] = ()
    default_groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MadeSource:
    """A new source, and what its sender proves itself with: never to be had again."""

    source: CallbackSource
    secret: str
    key: str


@transaction.atomic(durable=True)
def make_source(slug: str, fields: SourceFields, *, admin: User | None) -> MadeSource:
    """A source called SLUG with one signing secret and one key.

    Raises:
        NotAnAdmin: ADMIN is none (any more).
        InvalidFields: SLUG is taken or malformed, or one of FIELDS makes no sense.
    """
    desk.check_may_keep(admin)
    source = CallbackSource(slug=slug)
    _write(source, fields, {"slug": desk.slug_complaint(slug)})
    desk.check_row(source)
    try:
        source.save(force_insert=True)
    except IntegrityError:  # somebody else took the name this moment
        raise InvalidFields({"slug": _("There is a source of this name already.")}) from None
    _set_defaults(source, fields)
    secret_row, secret = SourceSecret.new(source)
    secret_row.save(force_insert=True)
    key_row, key = SourceKey.new(source)
    key_row.save(force_insert=True)
    _record(ChangeTag.SOURCE_MADE, source, at=database_now(), by=admin, fields=_told(source))
    return MadeSource(source, secret, key)


@transaction.atomic(durable=True)
def change_source(
    slug: str, fields: SourceFields, *, admin: User | None, seen: int | None = None
) -> list[str]:
    """Give the source SLUG these FIELDS; the names of those that changed.

    Requests that are open keep whom they were put before; what AWS is told goes by the
    new way from now on. SEEN: the line of history the admin looked at (desk.version_of).

    Raises:
        NotAnAdmin, InvalidFields: as `make_source`.
        StalePage: somebody changed it since SEEN.
    """
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    desk.check_seen(desk.source_subject(slug), seen)
    before = _facts(source)
    _write(source, fields)
    desk.check_row(source)
    source.save(update_fields=_COLUMNS)
    _set_defaults(source, fields)
    changed = desk.differences(before, _facts(source))
    if changed:
        now = database_now()
        _record(ChangeTag.SOURCE_CHANGED, source, at=now, by=admin, changed=_masked(changed))
        Circuit.objects.probe_at_once(source.pk, at=now)
    return list(changed)


@transaction.atomic(durable=True)
def add_functions(slug: str, arns: Sequence[str], *, admin: User | None) -> CallbackSource:
    """Let the source SLUG speak for ARNS as well.

    Raises:
        NotAnAdmin, InvalidFields: as `make_source`.
    """
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    before = list(source.function_arns)
    source.function_arns = list(dict.fromkeys([*before, *arns]))
    why = addresses.functions_complaint(arns, region=source.region, allow_local_runner=False)
    desk.refuse({"function_arns": why})
    desk.check_row(source)
    source.save(update_fields=["function_arns"])
    if source.function_arns != before:
        changed = {"function_arns": [before, source.function_arns]}
        _record(ChangeTag.SOURCE_CHANGED, source, at=database_now(), by=admin, changed=changed)
    return source


def disable_source(slug: str, *, admin: User | None) -> None:
    """Take no message of the source SLUG from now on; what is open goes on to its end.

    Raises:
        NotAnAdmin: as `make_source`.
    """
    _turn(slug, ChangeTag.SOURCE_DISABLED, active=False, admin=admin)


def enable_source(slug: str, *, admin: User | None) -> None:
    """Take messages of the source SLUG again, signed with what is still live."""
    _turn(slug, ChangeTag.SOURCE_ENABLED, active=True, admin=admin)


@transaction.atomic(durable=True)
def _turn(slug: str, tag: ChangeTag, *, active: bool, admin: User | None) -> None:
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    if source.active == active:
        return
    source.active = active
    source.save(update_fields=["active"])
    waiting = source.requests.pending().count()
    _record(tag, source, at=database_now(), by=admin, open_requests=waiting)


def _write(
    source: CallbackSource, fields: SourceFields, complaints: Mapping[str, str] | None = None
) -> None:
    """Put FIELDS into SOURCE's columns, unsaved; refuse what makes no sense at AWS.

    COMPLAINTS: what else is wrong, so that all is said at once.
    """
    fields = replace(fields, function_arns=list(dict.fromkeys(fields.function_arns)))
    desk.refuse(
        {
            **(complaints or {}),
            "region": addresses.region_complaint(fields.region),
            "endpoint_url": addresses.endpoint_complaint(fields.endpoint_url),
            "role_arn": addresses.role_complaint(fields.role_arn),
            "questions_url": addresses.questions_complaint(
                fields.questions_url, private=settings.QUESTIONS_TO_PRIVATE
            ),
            "questions_mail": addresses.one_way_complaint(
                fields.questions_url, fields.questions_mail
            ),
            "external_id": addresses.external_id_complaint(fields.external_id),
            "function_arns": addresses.functions_complaint(
                fields.function_arns,
                region=fields.region,
                allow_local_runner=fields.allow_local_runner,
            ),
        }
    )
    for column in _COLUMNS:
        setattr(source, column, getattr(fields, column))


def _set_defaults(source: CallbackSource, fields: SourceFields) -> None:
    source.default_users.set(people_called(fields.default_users, "default_users"))
    source.default_groups.set(teams_called(fields.default_groups, "default_groups"))


def _facts(source: CallbackSource) -> dict[str, Any]:
    return {column: getattr(source, column) for column in _COLUMNS} | {
        "default_users": sorted(source.default_users.values_list("username", flat=True)),
        "default_groups": sorted(source.default_groups.values_list("name", flat=True)),
    }


def _told(source: CallbackSource) -> dict[str, Any]:
    return {name: value for name, value in _facts(source).items() if name != "external_id"}


def _masked(changed: dict[str, list[Any]]) -> dict[str, list[Any]]:
    # An external ID is half of what lets somebody assume the role: history need not know it.
    hidden = {"external_id": [bool(value) for value in changed.get("external_id", ())]}
    return changed | hidden if "external_id" in changed else changed


def _record(
    tag: ChangeTag, source: CallbackSource, *, at: datetime, by: User | None, **facts: Any
) -> None:
    ChangeEvent.objects.record(tag, desk.source_subject(source.slug), at=at, actor=by, **facts)
