"""Callbacks that wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from approvals.operations import lists
from approvals.operations.broken import broken_ways
from approvals.operations.lists import Show
from approvals.operations.settings_lists import sources_for
from approvals.operations.views.gate import OperatorRequest, for_operators, place_in


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
    show = _shown(request)
    page = lists.waiting_callbacks(
        seen_by=request.user, now=now, show=show, after=place_in(request)
    )
    figures = lists.figures(now, seen_by=request.user)
    context = {
        "lines": [_line(callback, now) for callback in page.rows],
        "figures": figures,
        "broken": broken_ways(sources_for(request.user), now),
        "show": show,
        "shows": [(each, _address(each)) for each in Show],
        "first_url": _address(show),
        "next_url": _address(show, page.next) if page.next else "",
        "later_page": "after" in request.GET,
        "now": now,
        "nav": nav(figures, "callbacks"),
        "where": _("Callbacks"),
    }
    return render(request, "operations/callbacks.html", context)


def nav(figures: lists.Figures, current: str) -> dict[str, str | int | None]:
    return {
        "current": current,
        "callbacks": figures.waiting or None,
        "deliveries_failing": figures.stuck or None,
    }


def _line(callback: lists.WaitingCallback, now: datetime) -> Line:
    held = callback.claimant_id(now) is not None
    beat = getattr(callback, "heartbeat", None)
    return Line(callback, held, beat is not None and beat.is_late(now))


def _shown(request: OperatorRequest) -> Show:
    word = request.GET.get("show", "")
    return Show(word) if word in Show.values else Show.ALL


def _address(show: Show, after: str = "") -> str:
    asked = {"after": after, "show": show.value}
    query = urlencode({name: word for name, word in asked.items() if word})
    return reverse("approvals:operations-callbacks") + (f"?{query}" if query else "")
