"""The list as it stands on a page of its own, or beside the request opened out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.locales import Words, here
from approvals.models import User
from approvals.models.filter import WINDOW, Due, Risk, Sort
from approvals.models.listing import ListPage
from approvals.models.rights import REVIEW
from approvals.models.words import LONGEST_SEARCH
from approvals.review.closed import to_word
from approvals.review.cursors import to_cursor
from approvals.review.rows import Group, by_deadline, rows_of
from approvals.review.selection import CLOSED, DECIDED_BY_ME, PAST, Selection


def column_context(selection: Selection, user: User, now: datetime) -> dict[str, Any]:
    """What templates/queue/_list.html shows of SELECTION, for USER."""
    page = selection.page(user)
    count = _told(page)
    view, order = selection.view, order_of(selection)
    return {
        "selection": selection,
        "view": view,
        "title": selection.title,
        "page": page,
        "groups": _groups(selection, page, now),
        "count": count,
        "next_url": selection.at(to_cursor(page.next)).address if page.next else "",
        "later_page": bool(selection.cursor),
        "news_url": _news_url(selection, page),
        "chips": _chips(selection, page),
        "order": order.words,
        "order_beyond": order.beyond,
        "vain": selection.filter.is_vain,
        "without_search": selection.without("q").address,
        "longest_search": LONGEST_SEARCH,
        "youngest_missing": page.youngest_missing,
        "oldest_missing": page.oldest_missing,
        "filters": view not in PAST,
        "list_words": selection.words,
        "may_select": view not in PAST and user.rights.anywhere(REVIEW),
        "elsewhere": [(each.title, each.address) for each in _elsewhere(selection)],
        "looked_among": _looked_among(selection, page, order),
        "sees_all": user.rights.oversees_something,
        "now": now,
        "nav": _nav(selection, count if page.count else None),
        "where": selection.title,
    }


def _told(page: ListPage) -> str:
    count = here().whole(page.count)
    return f"{count}+" if page.count_capped else count


def _groups(selection: Selection, page: ListPage, now: datetime) -> list[Group]:
    rows = rows_of(page.rows, now=now)
    if selection.view in PAST or selection.filter.sort:
        return [Group("", rows)] if rows else []
    return by_deadline(rows, now=now)


def _elsewhere(selection: Selection) -> list[Selection]:
    """Where the same may be searched for: what waits no more, or waits for me."""
    if not selection.filter.q:
        return []
    views = [view for view in (DECIDED_BY_ME, CLOSED) if view != selection.view]
    return [selection.among(view) for view in views]


@dataclass(frozen=True, slots=True)
class Order:
    """How a list goes; AMONG: where it was looked for something, BEYOND: where not yet."""

    words: Words
    among: Words
    beyond: Words


_NEAREST = gettext_lazy("Among the nearest %(window)s")
_FARTHER = gettext_lazy("Those with later deadlines were not looked at yet.")
#: What waits is looked for among the nearest deadlines, whichever order it is then set in.
_WAITING = {
    "": Order(gettext_lazy("nearest deadline first"), _NEAREST, _FARTHER),
    Sort.NEWEST: Order(gettext_lazy("newest first"), _NEAREST, _FARTHER),
    Sort.OLDEST: Order(gettext_lazy("oldest first"), _NEAREST, _FARTHER),
}
_DONE = {
    DECIDED_BY_ME: Order(
        gettext_lazy("latest decision first"),
        gettext_lazy("Among your latest %(window)s decisions"),
        gettext_lazy("Earlier decisions were not looked at yet."),
    ),
    CLOSED: Order(
        gettext_lazy("newest first"),
        gettext_lazy("Among the newest %(window)s"),
        gettext_lazy("Older ones were not looked at yet."),
    ),
}


def order_of(selection: Selection) -> Order:
    """How SELECTION goes: what is done has an order of its own, and no deadlines."""
    return _DONE.get(selection.view) or _WAITING[selection.filter.sort]


def _looked_among(selection: Selection, page: ListPage, order: Order) -> str:
    """Where it was looked for PAGE, if there is more and no page is simply the next."""
    looked = selection.filter.looks_inside or (not page.rows and page.next is not None)
    if page.is_whole or not looked:
        return ""
    return str(order.among) % {"window": here().whole(WINDOW)}


def _news_url(selection: Selection, page: ListPage) -> str:
    if selection.view in PAST:
        return ""
    since = {"since": page.newest_id, "shown": to_word(page.rows)}
    words = selection.named_words | since
    return f"{reverse('approvals:queue-news')}?{urlencode(words)}"


def _nav(selection: Selection, count: str | None) -> dict[str, Any]:
    """For the rail: which entry this is, and what the page has counted already."""
    if selection.filter.words:
        return {"current": "", "words": selection.named_words}
    return {"current": selection.view, selection.view.replace("-", "_"): count}


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing a list is narrowed by, and the address of the list without it."""

    words: str
    address: str


def _chips(selection: Selection, page: ListPage) -> list[Chip]:
    only = selection.filter
    words = {
        "kind": next((row.kind.label for row in page.rows), only.kind) if only.kind else "",
        "source": next((row.source.name for row in page.rows), only.source) if only.source else "",
        "risk": str(Risk(only.risk).label) if only.risk else "",
        "due": str(Due(only.due).label) if only.due else "",
        "q": _("“%(words)s”") % {"words": only.q} if only.q else "",
        "sort": str(Sort(only.sort).label) if only.sort else "",
    }
    return [Chip(said, selection.without(name).address) for name, said in words.items() if said]
