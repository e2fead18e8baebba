"""What is done, latest first: what a person decided, and what was closed of all they may see.

As in the queue, what is searched for is looked up where few hold its words, and else looked
for in the WINDOW that comes next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from approvals.models.archive import BEFORE, youngest_of
from approvals.models.filter import WINDOW, Filter
from approvals.models.listing import (
    COUNT_LIMIT,
    PAGE_SIZE,
    ListPage,
    Place,
    decided_rows,
    listed,
    read,
)
from approvals.models.search import EVERYTHING, LATE, holds, looked_up, values_of
from approvals.models.sight import sees
from approvals.models.sql import Statement, positional
from approvals.models.user import User

_DECIDED = """
  SELECT d.decided_at AS at, d.id, d.request_id, true AS counts FROM approvals_decision d
   WHERE d.reviewer_id = %(user)s AND d.retracted_at IS NULL {narrow}"""
_DECIDED_AFTER = " AND (d.decided_at, d.id) < (%(after_at)s, %(after_id)s)"
_BY_TIME = "at DESC, id DESC"
_AFTER_TIME = "(a.at, a.id) < (%(after_at)s, %(after_id)s)"

_CLOSED = """
  SELECT r.received_at AS at, r.id, r.id AS request_id, r.state <> 'pending' AS counts
    FROM approvals_approvalrequest r
   WHERE {narrow}"""
# By key alone, as they are walked: of two received at once the later key can have the earlier time.
_BY_KEY = "id DESC"
_AFTER_KEY = "a.id < %(after_id)s"


@dataclass(frozen=True, slots=True)
class Past:
    """How a list of USER's is met. NEAR, AMONG: SELECT at, id, request_id, counts, of the WINDOW
    that comes after %(after_id)s, and of the request `hit`; ORDER, BEYOND: how they follow each
    other, and which `a` come after %(after_id)s."""

    user: User
    near: str
    near_from_start: str
    among: str
    order: str
    beyond: str
    search: Filter

    @classmethod
    def decided_by(cls, user: User, search: Filter, after: Place | None) -> Past:
        near = _DECIDED + f" ORDER BY d.decided_at DESC, d.id DESC LIMIT {WINDOW}"
        return cls(
            user,
            near=near.format(narrow=_DECIDED_AFTER if after else ""),
            near_from_start=near.format(narrow=""),
            among=_DECIDED.format(narrow="AND d.request_id = hit.id"),
            order=_BY_TIME,
            beyond=_AFTER_TIME,
            search=search,
        )

    @classmethod
    def closed_for(cls, user: User, search: Filter, after: Place | None) -> Past:
        before = BEFORE.replace("%(before)s", "%(after_id)s") if after else ""
        near, whole = (
            _CLOSED.format(narrow=f"r.id IN ({youngest_of(user, narrow=narrow)})")
            + " ORDER BY r.id DESC"
            for narrow in (before, "")
        )
        seen = "" if user.sees_everything else f"AND {sees('%(user)s')}"
        return cls(
            user,
            near=near,
            near_from_start=whole,
            among=_CLOSED.format(narrow=f"r.id = hit.id AND r.state <> 'pending' {seen}"),
            order=_BY_KEY,
            beyond=_AFTER_KEY,
            search=search,
        )

    def found(self, after: Place | None) -> Statement:
        """SELECT the ids of the next page and one more that count, after AFTER; then how many
        count in all, is_whole, LATE, and how many NEAR comes to."""
        if after is None:
            near, page = "SELECT * FROM near", "SELECT at, id FROM counted"
        else:
            near = self.near
            page = f"{self._counted(near)} AND {self.beyond}"
        whole, late = ("(SELECT exact FROM found)", LATE) if self.search.q else ("false", "0")
        sql = f"""
          {self._looked_up} near AS MATERIALIZED ({self.near_from_start}),
          counted AS MATERIALIZED ({self._counted("SELECT * FROM near")})
          SELECT ARRAY(SELECT p.id FROM ({page}) p ORDER BY {self.order} LIMIT %(size)s),
            (SELECT count(*) FROM counted), {whole}, {late},
            CASE WHEN {whole} THEN 0 ELSE (SELECT count(*) FROM ({near}) near) END"""  # noqa: S608  # nosec B608
        return positional(sql, self._values(after) | {"size": PAGE_SIZE + 1})

    def end(self, after: Place | None) -> Place | None:
        """The last of NEAR; None if there is nothing any more."""
        sql = f"SELECT at, id FROM ({self.near}) near ORDER BY {self.order}"  # noqa: S608  # nosec B608
        with connection.cursor() as cursor:
            cursor.execute(*positional(sql, self._values(after)))
            rows = cursor.fetchall()
        return Place(*rows[-1]) if rows else None

    @property
    def _looked_up(self) -> str:
        return f"{looked_up(self.search.searched, EVERYTHING)}," if self.search.q else "WITH"

    def _counted(self, near: str) -> str:
        return f"SELECT a.at, a.id FROM ({self._met(near)}) a WHERE a.counts {self._fits}"  # noqa: S608  # nosec B608

    @property
    def _fits(self) -> str:
        if not self.search.q:
            return ""
        said = holds(self.search.searched, "a.request_id")
        return f"AND ((SELECT exact FROM found) OR {said})"  # noqa: S608  # nosec B608

    def _met(self, near: str) -> str:
        if not self.search.q:
            return near
        return f"""
          (SELECT past.* FROM hit CROSS JOIN LATERAL ({self.among}) past
            WHERE (SELECT exact FROM found))
           UNION ALL
          (SELECT * FROM ({near}) near WHERE NOT (SELECT exact FROM found))"""  # noqa: S608  # nosec B608

    def _values(self, after: Place | None) -> dict[str, Any]:
        return values_of(self.search.searched) | {
            "user": self.user.pk,
            "sources": self.user.rights.overseen_ids,
            "limit": WINDOW,
            "after_at": after.at if after else None,
            "after_id": after.id if after else None,
        }


def decided_search(user: User, search: Filter, *, after: Place | None) -> ListPage:
    """What USER decided and SEARCH leaves, latest first; Place is (decided_at, id)."""
    past = Past.decided_by(user, search, after)
    return _page(past, decided_rows(user).order_by("-place_at", "-place_id"), after)


def closed_page(user: User, search: Filter, *, after: Place | None) -> ListPage:
    """What was closed of all USER may see, last received first; Place is (received_at, id)."""
    rows = listed().annotate(
        place_at=F("received_at"), place_id=F("pk"), delivery_state=F("delivery__state")
    )
    return _page(Past.closed_for(user, search, after), rows.order_by("-pk"), after)


def _page(past: Past, rows: QuerySet[Any], after: Place | None) -> ListPage:
    with connection.cursor() as cursor:
        cursor.execute(*past.found(after))
        ids, count, whole, late, near = cursor.fetchone()
    found = read(rows.filter(place_id__in=ids)) if ids else []
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    onward = Place(last.place_at, last.place_id) if last else None
    if last is None and not whole and near == WINDOW:
        onward = past.end(after)
    return ListPage(
        found[:PAGE_SIZE],
        next=onward,
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT or not (whole or near < WINDOW),
        is_whole=whole or near < WINDOW,
        youngest_missing=bool(late & 1),
        oldest_missing=bool(late & 2),
    )
