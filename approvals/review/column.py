"""The list as it stands on a page of its own, or beside the request opened out of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from approvals.models import User
from approvals.models.listing import ListPage
from approvals.review.cursors import to_cursor
from approvals.review.rows import Group, by_deadline, row_of
from approvals.review.selection import DECIDED_BY_ME, Selection


def column_context(selection: Selection, user: User, now: datetime) -> dict[str, Any]:
    """What templates/queue/_list.html shows of SELECTION, for USER."""
    page = selection.page(user)
    count = _told(page)
    view = selection.view
    return {
        "selection": selection,
        "view": view,
        "title": selection.title,
        "page": page,
        "groups": _groups(view, page, now),
        "count": count,
        "next_url": selection.at(to_cursor(page.next)).address if page.next else "",
        "later_page": bool(selection.cursor),
        "news_url": _news_url(view, page),
        "sees_all": user.rights.oversees_something,
        "now": now,
        "nav": {"current": view, view.replace("-", "_"): count if page.count else None},
        "where": selection.title,
    }


def _told(page: ListPage) -> str:
    return f"{page.count:,}+" if page.count_capped else f"{page.count:,}"


def _groups(view: str, page: ListPage, now: datetime) -> list[Group]:
    rows = [row_of(request, now=now) for request in page.rows]
    if view == DECIDED_BY_ME:
        return [Group("", rows)] if rows else []
    return by_deadline(rows, now=now)


def _news_url(view: str, page: ListPage) -> str:
    if view == DECIDED_BY_ME:
        return ""
    return f"{reverse('approvals:queue-news')}?{urlencode({'view': view, 'since': page.newest_id})}"
