"""Callbacks that wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import ApprovalRequest
from approvals.operations import lists
from approvals.operations.views.gate import OperatorRequest, for_operators, place_in

LATE = "late"


@dataclass(frozen=True, slots=True)
class Line:
    """One callback as the page shows it; HELD: somebody is on it, LATE: its heartbeat is."""

    callback: lists.WaitingCallback
    held: bool
    late: bool


@require_safe
@for_operators
def callbacks(request: OperatorRequest) -> HttpResponse:
    """Pending callbacks, nearest deadline first: who has them, their clocks, their beats."""
    now = timezone.now()
    late_only = request.GET.get("show") == LATE
    visible = ApprovalRequest.objects.overseen_by(request.user)
    page = lists.waiting_callbacks(visible, now=now, late_only=late_only, after=place_in(request))
    figures = lists.figures(now, seen_by=request.user)
    context = {
        "lines": [_line(callback, now) for callback in page.rows],
        "figures": figures,
        "late_only": late_only,
        "next_url": _address(late_only, page.next) if page.next else "",
        "later_page": "after" in request.GET,
        "now": now,
        "nav": nav(figures, "callbacks"),
        "where": "Callbacks",
    }
    return render(request, "operations/callbacks.html", context)


def nav(figures: lists.Figures, current: str) -> dict[str, str | int | None]:
    return {
        "current": current,
        "callbacks": figures.waiting or None,
        "deliveries_failing": figures.stuck or None,
    }


def _line(callback: lists.WaitingCallback, now: datetime) -> Line:
    held = callback.claimed_by is not None and callback.claimed_until > now
    beat = getattr(callback, "heartbeat", None)
    return Line(callback, held, beat is not None and beat.is_late(now))


def _address(late_only: bool, after: str) -> str:
    query = {"after": after} | ({"show": LATE} if late_only else {})
    return f"{reverse('approvals:operations-callbacks')}?{urlencode(query)}"
