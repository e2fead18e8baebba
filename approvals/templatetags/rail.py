"""What the rail counts beside its views, and the views somebody has saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import template

from approvals.models import SavedView, User
from approvals.models.beside import counts_beside
from approvals.models.queue import ALL, walk_of
from approvals.models.rights import REVIEW
from approvals.models.saved_view import saved_by

register = template.Library()


@dataclass(frozen=True, slots=True)
class Entry:
    """A saved view as the rail shows it."""

    view: SavedView
    count: str
    is_current: bool

    @property
    def query(self) -> str:
        return f"?{urlencode(self.view.words)}"


@register.simple_tag
def rail_counts(user: User, nav: Mapping[str, Any] | None) -> dict[str, Any]:
    """What waits in each view; a page that counted its own view itself (NAV) is believed.

    `saved`: an Entry for each view USER has saved.
    """
    known = dict(nav or {})
    if not (user.rights.anywhere(REVIEW) or user.rights.oversees_something):
        return known
    saved = [view for view in saved_by(user) if _is_open(view, user)]
    # To count what a search finds is to search, for each of them and on every page.
    counted = [view for view in saved if not view.q]
    walks = {f"saved-{view.pk}": walk_of(view.view, user, view.filter) for view in counted}
    counts = {}
    if user.rights.anywhere(REVIEW):
        counts = counts_beside(user, but=known, also=walks)
    words = known.get("words")
    entries = [
        Entry(view, counts.get(f"saved-{view.pk}", ""), view.words == words) for view in saved
    ]
    return {**known, **counts, "saved": entries}


def _is_open(view: SavedView, user: User) -> bool:
    """Whether USER still may see what they saved it of."""
    return view.view != ALL or user.rights.oversees_something
