"""Answers AWS did not take, by source and by what AWS said: one cause often breaks many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from approvals.models import CallbackDelivery, User
from approvals.states import DeliveryState

#: At most so many answers are sent again by one press.
AT_ONCE = 200
#: Causes are gathered from so many of the latest answers; the list itself is not cut.
GATHERED = 10_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Which answers are listed: those of SOURCE (a slug), those AWS refused with CODE."""

    source: str = ""
    code: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Self:
        """As an address or a form names it; PostgreSQL knows no NUL character."""
        return cls(*(str(asked.get(name, "")).replace("\0", "") for name in ("source", "code")))

    def __bool__(self) -> bool:
        return bool(self.source or self.code)

    def condition(self) -> Q:
        asked = Q(source__slug=self.source) if self.source else Q()
        return asked & (Q(detail__startswith=f"{self.code}: ") if self.code else Q())

    def query(self, **more: str) -> str:
        """As it stands in an address, with a leading `?` where there is anything."""
        words = {"source": self.source, "code": self.code, **more}
        asked = urlencode({name: word for name, word in words.items() if word})
        return f"?{asked}" if asked else ""


@dataclass(frozen=True, slots=True)
class Causes:
    """What the filter offers: sources as (slug, name), and AWS's codes."""

    sources: list[tuple[str, str]]
    codes: list[str]


def causes(*, seen_by: User) -> Causes:
    """Of the latest answers AWS did not take, at the sources SEEN_BY oversees. One statement.

    A code is what presentation.sentences.parted takes for one.
    """
    here = "" if seen_by.sees_everything else "AND source_id = ANY(%(sources)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT s.slug, s.name,
                   substring(d.detail FROM '^(HTTP [0-9]+|[[:alnum:]_]+): .')
              FROM (SELECT source_id, detail, state FROM approvals_callbackdelivery
                     WHERE state <> 'delivered' {here}
                     ORDER BY owed_at DESC LIMIT %(gathered)s) d
              JOIN approvals_callbacksource s ON s.id = d.source_id
             WHERE d.state = 'undeliverable' ORDER BY 1
            """,  # noqa: S608  # nosec B608  our own words, values bound
            {"sources": seen_by.rights.overseen_ids, "gathered": GATHERED},
        )
        rows = cursor.fetchall()
    sources = sorted({(slug, name) for slug, name, _ in rows})
    return Causes(sources, sorted({code for _, _, code in rows if code}))


def undeliverable(cause: Failure, *, seen_by: User) -> list[CallbackDelivery]:
    """The oldest AT_ONCE answers with CAUSE that may be sent again."""
    rows = _seen_by(seen_by).filter(cause.condition(), state=DeliveryState.UNDELIVERABLE)
    return list(rows.order_by("owed_at", "pk")[:AT_ONCE])


def picked(public_ids: Sequence[UUID], *, seen_by: User) -> list[CallbackDelivery]:
    """The answers owed for these requests, of those SEEN_BY oversees; at most AT_ONCE."""
    rows = _seen_by(seen_by).filter(request__public_id__in=public_ids)
    return list(rows.order_by("owed_at", "pk")[:AT_ONCE])


def overseen(person: User) -> QuerySet[CallbackDelivery]:
    if person.sees_everything:
        return CallbackDelivery.objects.all()
    return CallbackDelivery.objects.filter(source__in=person.rights.overseen_ids)


def _seen_by(person: User) -> QuerySet[CallbackDelivery]:
    return overseen(person).select_related("request").only("pk", "request__title", "source")
