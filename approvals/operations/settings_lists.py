"""Sources and kinds as their pages show them, and what was changed of them, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.models import (
    ApprovalRequest,
    CallbackSource,
    ChangeEvent,
    RequestKind,
    SourceSecret,
    User,
)
from approvals.models.rights import ADMINISTER
from approvals.states import ChangeTag

Facts: TypeAlias = "Mapping[str, Any]"

RECENT = 20
#: Rows with what the lists add to them: `waiting`, `live_secrets`, `ending_secrets`.
ListedSource: TypeAlias = Any


def may_keep(person: User) -> bool:
    return ADMINISTER in person.rights.everywhere


def sources_for(person: User) -> QuerySet[CallbackSource]:
    """The sources PERSON oversees or keeps."""
    rows = CallbackSource.objects.order_by("name", "slug")
    if person.sees_everything or may_keep(person):
        return rows
    return rows.filter(pk__in=person.rights.overseen_ids)


def listed_sources(person: User, now: datetime) -> QuerySet[ListedSource]:
    live = SourceSecret.objects.live(now).filter(source=OuterRef("pk"))
    return (
        sources_for(person)
        .select_related("circuit")
        .annotate(
            waiting=_count(
                ApprovalRequest.objects.pending().filter(source=OuterRef("pk")), "source"
            ),
            live_secrets=_count(live, "source"),
            ending_secrets=_count(live.filter(expires_at__isnull=False), "source"),
        )
    )


def listed_kinds() -> QuerySet[RequestKind]:
    return RequestKind.objects.prefetch_related("requirements__group").order_by("label", "slug")


def latest_of(kind: RequestKind, person: User) -> ApprovalRequest | None:
    """The youngest request of KIND that PERSON oversees, among the youngest thousand.

    No index leads from a kind to its requests; an example is not worth one.
    """
    overseen = ApprovalRequest.objects.overseen_by(person).order_by("-pk")
    young = list(overseen.values_list("pk", flat=True)[:1_000])
    return overseen.filter(pk__in=young, kind=kind).first()


def _count(rows: QuerySet[Any], by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@dataclass(frozen=True, slots=True)
class Change:
    """Who did what, and when; DETAILS: (field, before, after)."""

    at: datetime
    who: str
    what: str
    details: tuple[tuple[str, str, str], ...] = ()


def recent_changes(subject: str) -> list[Change]:
    """The last RECENT changes of SUBJECT, youngest first."""
    events = ChangeEvent.objects.filter(subject=subject).select_related("actor")
    return [_change(event) for event in events.order_by("-seq")[:RECENT]]


def _change(event: ChangeEvent) -> Change:
    who = event.actor.display_name if event.actor else event.actor_name or _("A command")
    details = tuple(
        (str(_FIELDS.get(name, name)), _text(before), _text(after))
        for name, (before, after) in event.facts.get("changed", {}).items()
    )
    return Change(event.at, who, _SENTENCES[ChangeTag(event.tag)](event.facts), details)


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return _("nothing")
    if isinstance(value, bool):
        return _("set") if value else _("not set")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _changed(facts: Facts) -> str:
    names = ", ".join(str(_FIELDS.get(name, name)) for name in facts["changed"])
    return _("changed %(what)s") % {"what": names}


def _disabled(facts: Facts) -> str:
    count = facts["open_requests"]
    words = ngettext(
        "disabled it while %(count)s request waited",
        "disabled it while %(count)s requests waited",
        count,
    )
    return words % {"count": count}


def _secret_made(facts: Facts) -> str:
    if facts["brought"]:
        return _("brought signing secret %(secret)s") % facts
    return _("made signing secret %(secret)s") % facts


def _role_given(facts: Facts) -> str:
    return _("gave %(who)s the right to %(may)s") % _role(facts)


def _role_taken(facts: Facts) -> str:
    return _("took from %(who)s the right to %(may)s") % _role(facts)


def _role(facts: Facts) -> dict[str, str]:
    return {"who": facts["user"] or facts["group"], "may": right(facts["may"])}


def right(may: str) -> str:
    """What a role at a source lets somebody do, as a verb: `review`."""
    return str(_RIGHTS.get(may, may))


_RIGHTS = {
    "review": gettext_lazy("review"),
    "operate": gettext_lazy("operate"),
    "audit": gettext_lazy("audit"),
}

_SENTENCES: dict[ChangeTag, Callable[[Facts], str]] = {
    ChangeTag.SOURCE_MADE: lambda _facts: _("made it"),
    ChangeTag.SOURCE_CHANGED: _changed,
    ChangeTag.SOURCE_DISABLED: _disabled,
    ChangeTag.SOURCE_ENABLED: lambda _facts: _("enabled it"),
    ChangeTag.SECRET_MADE: _secret_made,
    ChangeTag.SECRET_ENDED: lambda facts: _("ended signing secret %(secret)s") % facts,
    ChangeTag.KEY_MADE: lambda facts: _("made the key %(key)s…") % facts,
    ChangeTag.KEY_ENDED: lambda facts: _("ended the key %(key)s…") % facts,
    ChangeTag.ROLE_GIVEN: _role_given,
    ChangeTag.ROLE_TAKEN: _role_taken,
    ChangeTag.KIND_MADE: lambda _facts: _("made it"),
    ChangeTag.KIND_CHANGED: _changed,
}

_FIELDS = {
    "name": gettext_lazy("the name"),
    "label": gettext_lazy("the name"),
    "region": gettext_lazy("the region"),
    "endpoint_url": gettext_lazy("the endpoint"),
    "role_arn": gettext_lazy("the role"),
    "external_id": gettext_lazy("the external ID"),
    "function_arns": gettext_lazy("the functions"),
    "allow_local_runner": gettext_lazy("the local runner"),
    "verify_callbacks": gettext_lazy("asking AWS about callbacks"),
    "default_users": gettext_lazy("the people asked"),
    "default_groups": gettext_lazy("the teams asked"),
    "presentation": gettext_lazy("how a payload is laid out"),
    "required_approvals": gettext_lazy("the approvals in all"),
    "requirements": gettext_lazy("the approvals of teams"),
    "on_reject": gettext_lazy("what a rejection does"),
    "on_timeout": gettext_lazy("what the deadline does"),
    "reject_reasons": gettext_lazy("the reasons"),
    "timeout_seconds": gettext_lazy("the time to decide"),
    "due_in_seconds": gettext_lazy("when it is due"),
}
