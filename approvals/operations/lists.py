"""What operators look at: callbacks that wait, answers on their way. One statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextChoices, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import (
    ApprovalRequest,
    Assignment,
    CallbackDelivery,
    Decision,
    Heartbeat,
    User,
)
from approvals.models.listing import Place
from approvals.models.outlook import LISTED, WITHOUT_DECIDERS, outlook, without_deciders
from approvals.operations.causes import Failure, overseen
from approvals.operations.paging import PAGE_SIZE, Page, to_word
from approvals.operations.rhythm import MISSED, missed_values
from approvals.states import Cause, DeliveryState

RECENT = 20
SOON = timedelta(minutes=15)
#: What AWS did not take counts as news for this long; the list keeps it for ever.
NEWS = timedelta(hours=24)

#: Rows with what the lists add to them: `asked`, `outlook`; `decided_by`, `forced`.
WaitingCallback: TypeAlias = Any
OwedAnswer: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Figures:
    """How many callbacks wait, run out soon, are late to beat or have nobody who can decide
    (at most outlook.LISTED); how many answers are stuck; which sweeps are missed."""

    waiting: int
    soon: int
    late: int
    stuck: int
    nobody: int
    missed: Sequence[str] = ()

    @property
    def nobody_capped(self) -> bool:
        return self.nobody >= LISTED

    @property
    def missed_sentence(self) -> str:
        return _(
            "Missed: %(missed)s. What they do waits, deadlines and heartbeats too. Start "
            "beat and a worker; /readyz names what is missing."
        ) % {"missed": ", ".join(self.missed)}


def figures(now: datetime, *, seen_by: User) -> Figures:
    """Of the sources SEEN_BY oversees."""
    here = "" if seen_by.sees_everything else "AND source_id = ANY(%(sources)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (SELECT count(*) FROM approvals_approvalrequest
                     WHERE state = 'pending' {here}),
                   (SELECT count(*) FROM approvals_approvalrequest
                     WHERE state = 'pending' AND answer_by <= %(soon)s {here}),
                   (SELECT coalesce(sum(late), 0)::int FROM approvals_callbacksource source
                     CROSS JOIN LATERAL (
                           SELECT count(*) AS late FROM approvals_heartbeat
                            WHERE source_id = source.id AND next_beat_at < %(now)s
                              AND next_beat_at
                                  < %(now)s - greatest(interval / 2, interval '2 s') {here}) each),
                   (SELECT count(*) FROM approvals_callbackdelivery
                     WHERE state <> 'delivered' {here}
                       AND (settled_at > %(news)s OR (state = 'pending' AND last_reply <> ''))),
                   (SELECT count(*) FROM ({WITHOUT_DECIDERS}) stranded),
                   ARRAY({MISSED})
            """,  # noqa: S608  # nosec B608  our own words, values bound
            {
                "now": now,
                "soon": now + SOON,
                "news": now - NEWS,
                "sources": seen_by.rights.overseen_ids,
                "everywhere": seen_by.sees_everything,
                **missed_values(),
            },
        )
        waiting, soon, late, stuck, nobody, missed = cursor.fetchone()
    return Figures(waiting, soon, late, stuck, nobody, tuple(missed))


class Show(TextChoices):
    """Which callbacks are listed."""

    ALL = "", gettext_lazy("All waiting")
    LATE = "late", gettext_lazy("Late heartbeats")
    NOBODY = "nobody", gettext_lazy("Nobody can decide")


def waiting_callbacks(
    *, seen_by: User, now: datetime, show: Show, after: Place | None
) -> Page[WaitingCallback]:
    """What waits among all that SEEN_BY oversees, nearest deadline first."""
    rows = ApprovalRequest.objects.overseen_by(seen_by)
    pending = rows.filter(state="pending").select_related(
        "source", "execution", "claimed_by", "heartbeat"
    )
    if show is Show.LATE:
        pending = pending.filter(pk__in=Heartbeat.objects.late(now).values("pk"))
    elif show is Show.NOBODY:
        pending = pending.filter(pk__in=without_deciders(seen_by=seen_by))
    if after:
        pending = pending.filter(queue_at__gte=after.at).filter(
            Q(queue_at__gt=after.at) | Q(pk__gt=after.id)
        )
    found = list(
        pending.defer("payload", "payload_text", "summary", "links", "checks", "effects")
        .annotate(asked=ArraySubquery(_asked()), outlook=outlook())
        .order_by("queue_at", "pk")[: PAGE_SIZE + 1]
    )
    return _page(found, [Place(row.queue_at, row.pk) for row in found])


def answers(
    after: Place | None, *, seen_by: User, cause: Failure
) -> tuple[Page[OwedAnswer], list[OwedAnswer]]:
    """What AWS has not taken, latest first, and, on the first page, what it took lately.

    With a CAUSE: what it did not take for that cause, alone.
    """
    open_ones = overseen(seen_by).exclude(state=DeliveryState.DELIVERED).filter(cause.condition())
    if after:
        open_ones = open_ones.filter(owed_at__lte=after.at).filter(
            Q(owed_at__lt=after.at) | Q(pk__lt=after.id)
        )
    wanted: Any = open_ones.order_by("-owed_at", "-pk").values("pk")[: PAGE_SIZE + 1]
    if after is None and not cause:
        taken = overseen(seen_by).filter(state=DeliveryState.DELIVERED)
        wanted = wanted.union(taken.order_by("-pk").values("pk")[:RECENT], all=True)
    rows = list(_shown().filter(pk__in=wanted).order_by("-owed_at", "-pk"))
    stuck = [row for row in rows if row.state != DeliveryState.DELIVERED]
    page = _page(stuck, [Place(row.owed_at, row.pk) for row in stuck])
    return page, [row for row in rows if row.state == DeliveryState.DELIVERED]


def answer_of(public_id: UUID, *, seen_by: User) -> OwedAnswer | None:
    """The answer owed for one request; None if none is, or SEEN_BY does not oversee it."""
    owed = overseen(seen_by).filter(request__public_id=public_id)
    return _shown().filter(pk__in=owed.values("pk")).first()


def _shown() -> QuerySet[CallbackDelivery]:
    names = tuple(
        f"request__{name}"
        for name in ("payload", "payload_text", "summary", "links", "checks", "effects")
    )
    last = Decision.objects.standing().filter(request=OuterRef("request")).order_by("-pk")
    return (
        CallbackDelivery.objects.select_related("request", "source")
        .defer("sealed_body", *names)
        .annotate(
            decided_by=Subquery(last.values_list(_name_of("reviewer"))[:1]),
            forced=Exists(last.filter(cause=Cause.OPERATOR)),
        )
    )


def _asked() -> QuerySet[Assignment, Any]:
    rows = Assignment.objects.filter(request=OuterRef("pk")).order_by("pk")
    return rows.values_list(Coalesce("group__name", _name_of("user")))


def _name_of(person: str) -> Coalesce:
    """User.display_name, in SQL."""
    full = Trim(Concat(f"{person}__first_name", Value(" "), f"{person}__last_name"))
    return Coalesce(NullIf(full, Value("")), f"{person}__username")


def _page(found: list[Any], places: list[Place]) -> Page[Any]:
    more = len(found) > PAGE_SIZE
    return Page(found[:PAGE_SIZE], to_word(places[PAGE_SIZE - 1]) if more else "")
