"""How often the executions behind open requests are looked at, as far as the rate affords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min

from approvals.models.request import ApprovalRequest


@dataclass(frozen=True, slots=True)
class ReconcilePace:
    """One source's pace. INTERVAL is longer than RECONCILE_INTERVAL where there are too many.

    OPEN: executions with an open request that are looked at. OVERDUE: how long the one that
    has waited longest is past its time.
    """

    source: str
    open: int
    interval: timedelta
    overdue: timedelta

    @property
    def is_stretched(self) -> bool:
        return self.interval > settings.RECONCILE_INTERVAL


def reconcile_paces(now: datetime, *, source: int | None = None) -> list[ReconcilePace]:
    """The pace of each source with open requests whose executions are looked at, by name.

    SOURCE: of that one alone.
    """
    pending = ApprovalRequest.objects.pending()
    rows = (
        (pending if source is None else pending.filter(source=source))
        .filter(execution__next_look_at__isnull=False)
        .values_list("source__slug")
        .annotate(Count("execution", distinct=True), Min("execution__next_look_at"))
        .order_by("source__slug")
    )
    return [
        ReconcilePace(
            slug,
            number,
            max(settings.RECONCILE_INTERVAL, timedelta(seconds=number / settings.LOOKS_PER_SECOND)),
            max(timedelta(0), now - first_due),
        )
        for slug, number, first_due in rows
    ]
