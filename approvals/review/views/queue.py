"""The queue: what waits for me, for my teams, and what I decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import User
from approvals.models.listing import ListPage, Place, decided_page
from approvals.models.news import News, count_newer
from approvals.models.queue import BESIDE, Walk, pending_page
from approvals.models.rights import REVIEW
from approvals.review.cursors import from_cursor, to_cursor
from approvals.review.rows import Group, by_deadline, row_of
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned

NEEDS_ME, MY_TEAMS, DECIDED_BY_ME, ALL = "needs-me", "my-teams", "decided-by-me", "all"
TITLES = {
    NEEDS_ME: "Needs me",
    MY_TEAMS: "My teams",
    DECIDED_BY_ME: "Decided by me",
    ALL: "All pending",
}


@require_safe
@signed_in
def queue(request: ReviewerRequest) -> HttpResponse:
    """One view of the queue, 50 rows; 404 for a view there is not, or not for this person."""
    view = request.GET.get("view") or _usual_view(request.user)
    after = _place(request.GET.get("cursor", ""))
    now = timezone.now()
    page = _page(view, request.user, after)
    context = {
        "view": view,
        "title": TITLES[view],
        "page": page,
        "groups": _groups(view, page, now),
        "count": _told(page),
        "next_url": _address(view, page.next) if page.next else "",
        "later_page": after is not None,
        "news_url": _news_url(view, page),
        "sees_all": request.user.rights.oversees_something,
        "now": now,
        "nav": {"current": view, view.replace("-", "_"): _told(page) if page.count else None},
        "where": TITLES[view],
    }
    return render(request, "queue/list.html", context)


@require_safe
@signed_in
def news(request: ReviewerRequest) -> HttpResponse:
    """How many requests have come to a view since; 304 while the number is the same."""
    view, since = request.GET.get("view", ""), request.GET.get("since", "")
    if view not in TITLES or view == DECIDED_BY_ME or not since.isdecimal() or len(since) > 18:
        raise Http404
    newer = count_newer(request.user, _news(view, request.user), int(since))
    version = f"{view}-{since}-{newer}"
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = {
        "view": view,
        "newer": newer,
        "news_url": request.get_full_path(),
        "news_version": version,
        "queue_url": _address(view),
    }
    return versioned(render(request, "queue/list.html#newer", context), version)


def _told(page: ListPage) -> str:
    return f"{page.count:,}+" if page.count_capped else f"{page.count:,}"


def _usual_view(user: User) -> str:
    return ALL if user.rights.oversees_something and not user.rights.anywhere(REVIEW) else NEEDS_ME


def _place(cursor: str) -> Place | None:
    try:
        return from_cursor(cursor)
    except ValueError as error:
        raise Http404 from error


def _page(view: str, user: User, after: Place | None) -> ListPage:
    if view == DECIDED_BY_ME:
        return decided_page(user, after=after)
    if view == NEEDS_ME and not user.rights.anywhere(REVIEW):
        return ListPage([], None, 0, count_capped=False)
    return pending_page(_walk(view, user), after=after, count_to=BESIDE)


def _walk(view: str, user: User) -> Walk:
    if view == NEEDS_ME:
        return Walk.needing(user)
    if view == MY_TEAMS:
        return Walk.of_teams(user)
    if view == ALL and user.rights.oversees_something:
        return Walk.visible_to(user)
    raise Http404


def _news(view: str, user: User) -> News:
    if view == ALL and user.rights.oversees_something:
        return News.EVERYTHING if user.sees_everything else News.VISIBLE
    if view == ALL:
        raise Http404
    return News.NEEDING if view == NEEDS_ME else News.OF_TEAMS


def _groups(view: str, page: ListPage, now: datetime) -> list[Group]:
    rows = [row_of(request, now=now) for request in page.rows]
    if view == DECIDED_BY_ME:
        return [Group("", rows)] if rows else []
    return by_deadline(rows, now=now)


def _address(view: str, place: Place | None = None) -> str:
    query: dict[str, Any] = {"view": view}
    if place:
        query["cursor"] = to_cursor(place)
    return f"{reverse('approvals:queue')}?{urlencode(query)}"


def _news_url(view: str, page: ListPage) -> str:
    if view == DECIDED_BY_ME:
        return ""
    return f"{reverse('approvals:queue-news')}?{urlencode({'view': view, 'since': page.newest_id})}"
