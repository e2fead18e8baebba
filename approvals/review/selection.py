"""What somebody looks at in the queue, as the address says it: a view, what of it is left,
and where it starts.

A request opened out of a list carries the list's words in its own address, so that a link,
a reload and the way back show both again, and so that "next" is next in that list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy

from approvals.models import ApprovalRequest, User
from approvals.models.beside import BESIDE
from approvals.models.filter import EVERYTHING, Filter
from approvals.models.listing import ListPage, Place, decided_page
from approvals.models.news import News
from approvals.models.past import closed_page, decided_search
from approvals.models.queue import ALL, MY_TEAMS, NEEDS_ME, Walk, pending_page, walk_of
from approvals.models.rights import REVIEW
from approvals.review.cursors import from_cursor

DECIDED_BY_ME, CLOSED = "decided-by-me", "closed"
#: Lists of what waits no more: latest first, no deadlines, nothing to filter by.
PAST = (DECIDED_BY_ME, CLOSED)
TITLES = {
    NEEDS_ME: gettext_lazy("Needs me"),
    MY_TEAMS: gettext_lazy("My teams"),
    DECIDED_BY_ME: gettext_lazy("Decided by me"),
    ALL: gettext_lazy("All pending"),
    CLOSED: gettext_lazy("Closed"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """One page of what FILTER leaves of a VIEW; it starts after CURSOR, at the beginning where
    that is empty.
    """

    view: str
    cursor: str = ""
    filter: Filter = EVERYTHING

    @classmethod
    def usual(cls, user: User) -> Self:
        """What USER sees first."""
        oversees = user.rights.oversees_something and not user.rights.anywhere(REVIEW)
        return cls(ALL if oversees else NEEDS_ME)

    @classmethod
    def named(cls, words: Mapping[str, str], user: User) -> Self | None:
        """What WORDS of an address name; None where they name no view.

        Raises:
            Http404: there is no such view, USER has none of that name, or the cursor or
                the filter is none of ours.
        """
        view = words.get("view", "")
        if not view:
            return None
        if view not in TITLES or (view == ALL and not user.rights.oversees_something):
            raise Http404
        try:
            only = Filter.named(words)
        except ValueError as error:
            raise Http404 from error
        if view in PAST:  # of what is done, nothing is due
            only = Filter(q=only.q)
        return cls(view, words.get("cursor", ""), only)._checked()

    @classmethod
    def shown(cls, words: Mapping[str, str], user: User) -> Self:
        """As `named`; what USER sees first where WORDS name no view."""
        usual = cls.usual(user).at(words.get("cursor", ""))
        return cls.named(words, user) or usual._checked()

    @property
    def title(self) -> str:
        return str(TITLES[self.view])

    @property
    def words(self) -> str:
        """As a query: `?view=needs-me&kind=order`, with the cursor where there is one."""
        query = self.named_words | ({"cursor": self.cursor} if self.cursor else {})
        return f"?{urlencode(query)}"

    @property
    def named_words(self) -> dict[str, str]:
        """The words of its address, without the place where it starts."""
        return {"view": self.view, **self.filter.words}

    @property
    def address(self) -> str:
        return f"{reverse('approvals:queue')}{self.words}"

    @property
    def after(self) -> Place | None:
        try:
            return from_cursor(self.cursor)
        except ValueError as error:
            raise Http404 from error

    def at(self, cursor: str = "") -> Self:
        """The page of the same list that starts after CURSOR."""
        return replace(self, cursor=cursor)

    def without(self, name: str) -> Self:
        """The list, from its beginning, that asks nothing about NAME."""
        return replace(self, cursor="", filter=replace(self.filter, **{name: ""}))

    def among(self, view: str) -> Self:
        """The same search in VIEW."""
        return type(self)(view, filter=Filter(q=self.filter.q))

    def unfiltered(self) -> Self:
        return type(self)(self.view)

    def page(self, user: User) -> ListPage:
        """Its rows for USER; one or two statements."""
        if self.filter.is_vain or self._is_nobodys(user):
            return ListPage([], None, 0, count_capped=False)
        if self.view == DECIDED_BY_ME:
            if self.filter.q:
                return decided_search(user, self.filter, after=self.after)
            return decided_page(user, after=self.after)
        if self.view == CLOSED:
            return closed_page(user, self.filter, after=self.after)
        return pending_page(self.walk(user), after=self.after, count_to=BESIDE)

    def next_after(self, request: ApprovalRequest, user: User) -> ApprovalRequest | None:
        """What USER comes to next in this list, were REQUEST done: what stands behind it,
        else the first one before it.
        """
        if self.view in PAST or self._is_nobodys(user) or self.filter.is_vain:
            return None
        walk = self.walk(user)
        place = Place(request.queue_at, request.pk)
        for after in (place, None):
            nearest = pending_page(walk, after=after, size=2, count_to=0).rows
            others = [row for row in nearest if row.pk != request.pk]
            if others:
                found: ApprovalRequest = others[0]
                return found
        return None

    def news(self, user: User) -> News:
        """Whose news are news here; of what is done there are none (Http404)."""
        if self.view in PAST:
            raise Http404
        if self.view == ALL:
            return News.EVERYTHING if user.sees_everything else News.VISIBLE
        return News.NEEDING if self.view == NEEDS_ME else News.OF_TEAMS

    def _checked(self) -> Self:
        _ = self.after
        return self

    def _is_nobodys(self, user: User) -> bool:
        return self.view == NEEDS_ME and not user.rights.anywhere(REVIEW)

    def walk(self, user: User) -> Walk:
        """How its pending requests are met; it is none of what was decided."""
        return walk_of(self.view, user, self.filter)
