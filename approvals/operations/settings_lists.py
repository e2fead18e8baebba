"""Sources and kinds as their pages show them, and what was changed of them, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

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
    who = event.actor.display_name if event.actor else event.actor_name or "A command"
    details = tuple(
        (_FIELDS.get(name, name), _text(before), _text(after))
        for name, (before, after) in event.facts.get("changed", {}).items()
    )
    return Change(event.at, who, _SENTENCES[ChangeTag(event.tag)](event.facts), details)


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "set" if value else "not set"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _changed(facts: Mapping[str, Any]) -> str:
    return "changed " + ", ".join(_FIELDS.get(name, name) for name in facts["changed"])


def _disabled(facts: Mapping[str, Any]) -> str:
    n = facts["open_requests"]
    return f"disabled it while {n} request{'s' if n != 1 else ''} waited"


def _secret_made(facts: Mapping[str, Any]) -> str:
    return f"{'brought' if facts['brought'] else 'made'} signing secret {facts['secret']}"


def _role(verb: str) -> Callable[[Mapping[str, Any]], str]:
    def sentence(facts: Mapping[str, Any]) -> str:
        return f"{verb} {facts['user'] or facts['group']} the right to {facts['may']}"

    return sentence


_SENTENCES: dict[ChangeTag, Callable[[Mapping[str, Any]], str]] = {
    ChangeTag.SOURCE_MADE: lambda _: "made it",
    ChangeTag.SOURCE_CHANGED: _changed,
    ChangeTag.SOURCE_DISABLED: _disabled,
    ChangeTag.SOURCE_ENABLED: lambda _: "enabled it",
    ChangeTag.SECRET_MADE: _secret_made,
    ChangeTag.SECRET_ENDED: lambda facts: f"ended signing secret {facts['secret']}",
    ChangeTag.KEY_MADE: lambda facts: f"made the key {facts['key']}…",
    ChangeTag.KEY_ENDED: lambda facts: f"ended the key {facts['key']}…",
    ChangeTag.ROLE_GIVEN: _role("gave"),
    ChangeTag.ROLE_TAKEN: _role("took from"),
    ChangeTag.KIND_MADE: lambda _: "made it",
    ChangeTag.KIND_CHANGED: _changed,
}

_FIELDS = {
    "name": "the name",
    "label": "the name",
    "region": "the region",
    "endpoint_url": "the endpoint",
    "role_arn": "the role",
    "external_id": "the external ID",
    "function_arns": "the functions",
    "allow_local_runner": "the local runner",
    "verify_callbacks": "asking AWS about callbacks",
    "default_users": "the people asked",
    "default_groups": "the teams asked",
    "presentation": "how a payload is laid out",
    "required_approvals": "the approvals in all",
    "requirements": "the approvals of teams",
    "on_reject": "what a rejection does",
    "on_timeout": "what the deadline does",
    "reject_reasons": "the reasons",
    "timeout_seconds": "the time to decide",
    "due_in_seconds": "when it is due",
}
