"""What every verb of this desk shares: the right, the row's own check, what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from approvals.errors import InvalidFields, NotAnAdmin, StalePage
from approvals.models import CallbackSource, ChangeEvent, RequestKind, User
from approvals.models.rights import ADMINISTER, rights_of
from approvals.states import ChangeTag

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
#: Words that stand in the portal's own addresses.
_RESERVED = frozenset({"new"})
_FIELDS_CHANGE = (
    ChangeTag.SOURCE_MADE, ChangeTag.SOURCE_CHANGED, ChangeTag.KIND_MADE, ChangeTag.KIND_CHANGED,
)  # fmt: skip


def lock_source(slug: str) -> CallbackSource:
    """The source, its row locked until the transaction ends; requests still come in."""
    return CallbackSource.objects.select_for_update(no_key=True).get(slug=slug)


def lock_kind(slug: str) -> RequestKind:
    return RequestKind.objects.select_for_update(no_key=True).get(slug=slug)


def source_subject(slug: str) -> str:
    return f"source:{slug}"


def kind_subject(slug: str) -> str:
    return f"kind:{slug}"


def check_may_keep(admin: User | None) -> None:
    """Return if ADMIN may keep sources and kinds, as the database knows it now.

    Raises:
        NotAnAdmin: they are inactive, or do not hold the right to administer.
    """
    if admin is None:
        return
    fresh = User.objects.only("is_active", "is_superuser").filter(pk=admin.pk).first()
    rights = fresh and rights_of(
        fresh.pk, is_active=fresh.is_active, is_superuser=fresh.is_superuser
    )
    if not (rights and ADMINISTER in rights.everywhere):
        raise NotAnAdmin(_("Only an admin can change sources and kinds. Nothing was changed."))


def version_of(subject: str) -> int:
    """Which line of SUBJECT's history last changed its fields; 0 if none did."""
    lines = ChangeEvent.objects.filter(subject=subject, tag__in=_FIELDS_CHANGE)
    return lines.order_by("-seq").values_list("seq", flat=True).first() or 0


def check_seen(subject: str, seen: int | None) -> None:
    """Return if nobody changed SUBJECT's fields after line SEEN (None: nobody looked).

    Raises:
        StalePage: somebody did; says who.
    """
    if seen is None or version_of(subject) == seen:
        return
    last = ChangeEvent.objects.filter(subject=subject, tag__in=_FIELDS_CHANGE).latest("seq")
    raise StalePage(
        _(
            "%(actor_name)s changed this after you opened the page. Nothing of yours was "
            "written. Compare with what stands now, then save again."
        )
        % {"actor_name": last.actor_name or _("A command at the server")}
    )


def slug_complaint(slug: str) -> str:
    """What is wrong with SLUG as a name in addresses, in a sentence; "" if nothing is."""
    if not _SLUG.fullmatch(slug):
        return _("Use lower case letters, digits, hyphens: 63 characters at most.")
    if slug in _RESERVED:
        return _("%(slug)s stands in the portal's own addresses: choose another.") % {
            "slug": repr(slug)
        }
    return ""


def refuse(complaints: Mapping[str, str]) -> None:
    """Return if none of COMPLAINTS (sentence by field) says anything.

    Raises:
        InvalidFields: with those that do.
    """
    if found := {field: why for field, why in complaints.items() if why}:
        raise InvalidFields(found)


def check_row(row: Model) -> None:
    """Return if ROW is valid by its own model.

    Raises:
        InvalidFields: every field to mend, each with its sentence.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidFields(
            {name: " ".join(why) for name, why in error.message_dict.items()}
        ) from None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each field that is not what it was, as [before, after]."""
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}
