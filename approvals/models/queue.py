"""Who has what before them: a person's queue, page by page.

A page is one statement. It walks the partial indexes of open assignments, once for the
person and once for each of their teams (LATERAL), and merges the walks: an OR over a join
would read the whole table. The count comes from the same statement, so that a badge and
its list never differ, and reads no further than COUNT_LIMIT. The next page is found by the
last row seen (queue_at, id), never by OFFSET. A search is part of it (models.search).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.expressions import RawSQL

from approvals.models.branches import (
    AFTER,
    AFTER_REQUEST,
    ALL_PENDING,
    AMONG,
    ASKED_BY_OTHERS,
    BY_ARRIVAL,
    OF_PERSON,
    OF_SOURCES,
    OF_TEAMS,
    VOTED_ON,
)
from approvals.models.filter import EVERYTHING, WINDOW, Filter, Sort
from approvals.models.listing import (
    COUNT_LIMIT,
    PAGE_SIZE,
    ListedRequest,
    ListPage,
    Place,
    listed,
    read,
)
from approvals.models.news import MY_MOVE, NEWEST, names_of
from approvals.models.search import LATE, WAITING, holds, looked_up, values_of
from approvals.models.sql import Statement, positional
from approvals.models.user import User

#: How many more a page meets than it shows, as some are not the person's move. If they do
#: not suffice it is read again, that many times further.
_SPARE, _FURTHER = 150, 20


@dataclass(frozen=True, slots=True)
class Walk:
    """Pending requests of USER in the order of their deadlines."""

    user: User
    branches: tuple[str, ...]
    only_my_move: bool = False
    filter: Filter = EVERYTHING

    @classmethod
    def needing(cls, user: User) -> Self:
        """What waits for USER: asked by name or team, not voted on, not made for them."""
        return cls(user, (OF_PERSON, OF_TEAMS), only_my_move=True)

    @classmethod
    def of_teams(cls, user: User) -> Self:
        """Everything pending before USER's teams, also what they have voted on."""
        return cls(user, (OF_TEAMS,))

    @classmethod
    def visible_to(cls, user: User) -> Self:
        """Everything pending that USER may see."""
        if user.sees_everything:
            return cls(user, (ALL_PENDING,))
        overseen = (OF_SOURCES,) if user.rights.overseen_ids else ()
        return cls(user, (OF_PERSON, OF_TEAMS, VOTED_ON, *overseen))

    def narrowed(self, to: Filter) -> Self:
        """The same walk, of which TO leaves some."""
        return replace(self, filter=to)

    def nearest(self, reach: int, after: Place | None = None) -> Statement:
        """SELECT queue_at, request_id of all it meets: REACH of them, whatever counts."""
        return positional(f"{self._looked_up} {self._near(after)}", self._values(reach, after))

    def statement(self, limit: int, reach: int, after: Place | None = None) -> Statement:
        """SELECT queue_at, id of the first LIMIT that count of the nearest REACH after AFTER.

        Requests are met in the index alone, and looked at then, one by one until LIMIT is
        reached: whose move it is costs ten times the step. Sub-selects and no joins, as a
        join may be turned round and read everything.
        """
        near, behind, order = self._near(after), "", "a.queue_at, a.request_id"
        if self.filter.sort:  # of the nearest
            less, order = BY_ARRIVAL[Sort(self.filter.sort)]
            near = f"SELECT * FROM ({self._near(None)}) a ORDER BY {order} LIMIT %(reach)s"  # noqa: S608  # nosec B608
            behind = f"AND a.request_id {less} %(after_id)s" if after else ""
        sql = f"""
          {self._looked_up}
          SELECT a.queue_at, a.request_id AS id FROM ({near}) a
           WHERE TRUE {behind} {self._move} ORDER BY {order} LIMIT %(limit)s"""  # noqa: S608  # nosec B608
        return positional(sql, self._values(reach, after) | {"limit": limit})

    def totals(self, reach: int, after: Place | None, count_to: int) -> Statement:
        """SELECT ARRAY[met, those that count, newest, is_whole, LATE], and how many of REACH
        after AFTER.

        Both are counted up to COUNT_TO; of what a filter leaves, WINDOW are looked at.
        """
        inside = self.filter.looks_inside
        counting = "count(*) FILTER (WHERE TRUE {move})"
        if inside:  # no further than they are counted: what is looked at inside is dear
            counting = (
                "(SELECT count(*) FROM (SELECT 1 FROM ({far}) a WHERE TRUE {move}"  # nosec B608
                " LIMIT %(count_to)s + 1) counted)"
            )
        words = {"far": self._near(None, reach="far"), "move": self._move}
        whole = "(SELECT exact FROM found)::int" if self.filter.q else "0"
        sql = f"""
          {self._looked_up}
          SELECT (SELECT ARRAY[count(*), {counting.format(**words)}, ({NEWEST}),
                               {whole}, {LATE if self.filter.q else "0"}]
                    FROM ({words["far"]}) a)
              || (SELECT count(*) FROM ({self._near(None if self.filter.sort else after)}) met)"""  # noqa: S608  # nosec B608
        values = self._values(reach, after)
        values |= {"far": (WINDOW if inside else count_to) + 1, "count_to": count_to}
        return positional(sql, values)

    @property
    def _looked_up(self) -> str:
        return looked_up(self.filter.searched, WAITING) if self.filter.q else ""

    @property
    def _move(self) -> str:
        mine = f"{ASKED_BY_OTHERS} {MY_MOVE}" if self.only_my_move else ""
        if not self.filter.q:
            return f"{self.filter.inside()} {mine}"
        said = holds(self.filter.searched, "a.request_id")
        return f"{self.filter.inside()} AND ((SELECT exact FROM found) OR {said}) {mine}"  # noqa: S608  # nosec B608

    def _near(self, after: Place | None, reach: str = "reach") -> str:
        due = self.filter.on_way("a.queue_at")
        words = {
            "after": f"{due}{AFTER if after else ''}",
            "after_request": f"{due}{AFTER_REQUEST if after else ''}",
        }
        branches = " UNION ".join(f"({branch.format(**words)})" for branch in self.branches)
        walked = (
            f"SELECT queue_at, id AS request_id FROM ({branches}) w ORDER BY 1, 2 LIMIT %(reach)s"  # noqa: S608  # nosec B608
        )
        if self.filter.q:
            among = " UNION ".join(AMONG[branch].format(**words) for branch in self.branches)
            walked = f"""
              SELECT queue_at, request_id FROM (
                (SELECT near.queue_at, near.id AS request_id
                   FROM hit CROSS JOIN LATERAL ({among}) near
                  WHERE (SELECT exact FROM found))
                 UNION ALL
                (SELECT far.queue_at, far.request_id FROM ({walked}) far
                  WHERE NOT (SELECT exact FROM found))) w
               ORDER BY 1, 2 LIMIT %(reach)s"""  # noqa: S608  # nosec B608
        return walked.replace("%(reach)s", f"%({reach})s")

    def _values(self, reach: int, after: Place | None) -> dict[str, Any]:
        searched = values_of(self.filter.searched) if self.filter.q else {}
        return (
            self.filter.values
            | searched
            | {
                "user": self.user.pk,
                "sources": self.user.rights.overseen_ids if OF_SOURCES in self.branches else [],
                "overseer": self.user.rights.oversees_something,
                "reach": reach,
                "names": names_of(self.user),
                "after_at": after.at if after else None,
                "after_id": after.id if after else None,
            }
        )


def pending_page(
    walk: Walk, *, after: Place | None = None, size: int = PAGE_SIZE, count_to: int | None = None
) -> ListPage:
    """One page of WALK, in one statement; a second where it is empty.

    What a filter leaves of WINDOW is the page, however few, and the next starts behind them.
    COUNT_TO: how far all of them are counted, COUNT_LIMIT unless said: on a page for people
    looking at a thousand requests for a number costs more than the fifty they read.
    """
    count_to = COUNT_LIMIT if count_to is None else count_to
    inside = walk.filter.looks_inside
    reach = WINDOW if inside else size + 1 + _SPARE
    rows, (met, count, newest, whole, late, met_here) = _read(walk, after, size, reach, count_to)
    while not inside and len(rows) <= size and met_here >= reach:
        reach *= _FURTHER
        rows, (met, count, newest, _, _, met_here) = _read(walk, after, size, reach, count_to)
    last = rows[size - 1] if len(rows) > size else None
    onward = Place(last.queue_at, last.pk) if last else None
    whole = whole or met <= WINDOW
    if inside and not whole and not walk.filter.sort and last is None and met_here >= reach:
        onward = _end(walk, reach, after)
    return ListPage(
        rows[:size],
        next=onward,
        count=min(count, count_to),
        count_capped=met > (WINDOW if inside else count_to) or count > count_to,
        newest_id=newest or 0,
        is_whole=bool(whole),
        youngest_missing=bool(late & 1),
        oldest_missing=bool(late & 2),
    )


def _end(walk: Walk, reach: int, after: Place | None) -> Place | None:
    """The last of REACH; None if all have been closed meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(*walk.nearest(reach, after))
        rows = cursor.fetchall()
    return Place(*rows[-1]) if rows else None


def _read(
    walk: Walk, after: Place | None, size: int, reach: int, count_to: int
) -> tuple[list[ListedRequest], list[int]]:
    sql, values = walk.statement(size + 1, reach, after)
    totals_sql, totals_values = walk.totals(reach, after, count_to)
    page = RawSQL(f"SELECT id FROM ({sql}) page", values)  # noqa: S608, S611  # nosec B608, B611
    totals = RawSQL(  # noqa: S611  # nosec B611  our own texts, values bound
        totals_sql, totals_values, output_field=ArrayField(models.BigIntegerField())
    )
    rows = read(
        listed().filter(pk__in=page).annotate(totals=totals).order_by(*_ORDERS[walk.filter.sort])
    )
    if rows:
        return rows, rows[0].totals
    with connection.cursor() as cursor:
        cursor.execute(totals_sql, totals_values)
        row = cursor.fetchone()
    return [], row[0]


_ORDERS = {"": ("queue_at", "pk"), Sort.NEWEST: ("-pk",), Sort.OLDEST: ("pk",)}

NEEDS_ME, MY_TEAMS, ALL = "needs-me", "my-teams", "all"


def walk_of(view: str, user: User, only: Filter = EVERYTHING) -> Walk:
    """The walk of the VIEW of that name, narrowed to ONLY."""
    walks = {NEEDS_ME: Walk.needing, MY_TEAMS: Walk.of_teams, ALL: Walk.visible_to}
    return walks[view](user).narrowed(only)
