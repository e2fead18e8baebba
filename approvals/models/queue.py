"""Who has what before them: a person's queue, page by page.

A page is one statement. It walks the partial indexes of open assignments, once for the
person and once for each of their teams (LATERAL), and merges the walks: an OR over a join
would read the whole table. The count comes from the same statement, so that a badge and
its list never differ, and reads no further than COUNT_LIMIT. The next page is found by the
last row seen (queue_at, id), never by OFFSET.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.expressions import RawSQL

from approvals.models.filter import EVERYTHING, WINDOW, Filter
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
from approvals.models.sql import Statement, positional
from approvals.models.user import User

_OF_PERSON = """
  SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
   WHERE a.open AND a.group_id IS NULL AND a.user_id = %(user)s {after}
   ORDER BY a.queue_at, a.request_id LIMIT %(reach)s"""

_OF_TEAMS = """
  SELECT near.queue_at, near.id FROM approvals_user_groups team CROSS JOIN LATERAL (
         SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
          WHERE a.open AND a.user_id IS NULL AND a.group_id = team.group_id {after}
          ORDER BY a.queue_at, a.request_id LIMIT %(reach)s) near
   WHERE team.user_id = %(user)s"""

_VOTED_ON = """
  SELECT a.queue_at, a.id FROM approvals_decision mine
    JOIN approvals_approvalrequest a ON a.id = mine.request_id AND a.state = 'pending'
   WHERE mine.reviewer_id = %(user)s {after_request}"""

_EVERYTHING = """
  SELECT a.queue_at, a.id FROM approvals_approvalrequest a
   WHERE a.state = 'pending' {after_request}
   ORDER BY a.queue_at, a.id LIMIT %(reach)s"""

_OF_SOURCES = """
  SELECT near.queue_at, near.id FROM unnest(%(sources)s::bigint[]) AS overseen (id)
   CROSS JOIN LATERAL (
         SELECT a.queue_at, a.id FROM approvals_approvalrequest a
          WHERE a.state = 'pending' AND a.source_id = overseen.id {after_request}
          ORDER BY a.queue_at, a.id LIMIT %(reach)s) near"""

_AFTER = " AND (a.queue_at, a.request_id) > (%(after_at)s, %(after_id)s)"
_AFTER_REQUEST = " AND (a.queue_at, a.id) > (%(after_at)s, %(after_id)s)"
#: Whom one asks oneself does not count; hardly anybody does, so that is asked first.
_ASKED_BY_OTHERS = """
   AND (NOT (SELECT EXISTS (SELECT 1 FROM approvals_assignment x
                             WHERE x.request_id = a.request_id AND x.asked_by_id = %(user)s))
        OR (SELECT EXISTS (SELECT 1 FROM approvals_assignment x
                            WHERE x.request_id = a.request_id
                              AND x.asked_by_id IS DISTINCT FROM %(user)s
                              AND (x.user_id = %(user)s OR x.group_id IN (
                                   SELECT group_id FROM approvals_user_groups
                                    WHERE user_id = %(user)s)))))"""

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
        return cls(user, (_OF_PERSON, _OF_TEAMS), only_my_move=True)

    @classmethod
    def of_teams(cls, user: User) -> Self:
        """Everything pending before USER's teams, also what they have voted on."""
        return cls(user, (_OF_TEAMS,))

    @classmethod
    def visible_to(cls, user: User) -> Self:
        """Everything pending that USER may see."""
        if user.sees_everything:
            return cls(user, (_EVERYTHING,))
        overseen = (_OF_SOURCES,) if user.rights.overseen_ids else ()
        return cls(user, (_OF_PERSON, _OF_TEAMS, _VOTED_ON, *overseen))

    def narrowed(self, to: Filter) -> Self:
        """The same walk, of which TO leaves some."""
        return replace(self, filter=to)

    def nearest(self, reach: int, after: Place | None = None) -> Statement:
        """SELECT queue_at, request_id of all it meets: REACH of them, whatever counts."""
        return positional(self._near(after), self._values(reach, after))

    def statement(self, limit: int, reach: int, after: Place | None = None) -> Statement:
        """SELECT queue_at, id of the first LIMIT that count of the nearest REACH after AFTER.

        Requests are met in the index alone, and looked at then, one by one until LIMIT is
        reached: whose move it is costs ten times the step. Sub-selects and no joins, as a
        join may be turned round and read everything.
        """
        sql = f"""
          SELECT a.queue_at, a.request_id AS id FROM ({self._near(after)}) a
           WHERE TRUE {self._move} ORDER BY 1, 2 LIMIT %(limit)s"""  # noqa: S608  # nosec B608
        return positional(sql, self._values(reach, after) | {"limit": limit})

    def totals(self, reach: int, after: Place | None, count_to: int) -> Statement:
        """SELECT ARRAY[met, those that count, newest], and how many of REACH after AFTER.

        Both are counted up to COUNT_TO; of what a filter leaves, WINDOW are looked at.
        """
        far = WINDOW if self.filter.looks_inside else count_to
        met, met_values = positional(
            f"SELECT count(*) FROM ({self._near(after)}) met",  # noqa: S608  # nosec B608
            self._values(reach, after),
        )
        sql = f"""
          SELECT ARRAY[count(*), count(*) FILTER (WHERE TRUE {self._move}), ({NEWEST})]
            FROM ({self._near(None)}) a"""  # noqa: S608  # nosec B608
        all_sql, all_values = positional(sql, self._values(far + 1, None))
        return f"SELECT ({all_sql}) || ({met})", [*all_values, *met_values]

    @property
    def _move(self) -> str:
        mine = f"{_ASKED_BY_OTHERS} {MY_MOVE}" if self.only_my_move else ""
        return f"{self.filter.inside()} {mine}"

    def _near(self, after: Place | None) -> str:
        due = self.filter.on_way("a.queue_at")
        words = {
            "after": f"{due}{_AFTER if after else ''}",
            "after_request": f"{due}{_AFTER_REQUEST if after else ''}",
        }
        branches = " UNION ".join(f"({branch.format(**words)})" for branch in self.branches)
        return (
            f"SELECT queue_at, id AS request_id FROM ({branches}) w"  # noqa: S608  # nosec B608
            " ORDER BY 1, 2 LIMIT %(reach)s"
        )

    def _values(self, reach: int, after: Place | None) -> dict[str, Any]:
        return self.filter.values | {
            "user": self.user.pk,
            "sources": self.user.rights.overseen_ids if _OF_SOURCES in self.branches else [],
            "overseer": self.user.rights.oversees_something,
            "reach": reach,
            "names": names_of(self.user),
            "after_at": after.at if after else None,
            "after_id": after.id if after else None,
        }


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
    rows, (met, count, newest, met_here) = _read(walk, after, size, reach, count_to)
    while not inside and len(rows) <= size and met_here >= reach:
        reach *= _FURTHER
        rows, (met, count, newest, met_here) = _read(walk, after, size, reach, count_to)
    last = rows[size - 1] if len(rows) > size else None
    onward = Place(last.queue_at, last.pk) if last else None
    if inside and last is None and met_here >= reach:
        onward = _end(walk, reach, after)
    return ListPage(
        rows[:size],
        next=onward,
        count=min(count, count_to),
        count_capped=met > (WINDOW if inside else count_to) or count > count_to,
        newest_id=newest or 0,
    )


def _end(walk: Walk, reach: int, after: Place | None) -> Place:
    near, values = walk.nearest(reach, after)
    with connection.cursor() as cursor:
        cursor.execute(f"{near} OFFSET %s", [*values, reach - 1])
        row = cursor.fetchone()
    return Place(*row)


def _read(
    walk: Walk, after: Place | None, size: int, reach: int, count_to: int
) -> tuple[list[ListedRequest], list[int]]:
    sql, values = walk.statement(size + 1, reach, after)
    totals_sql, totals_values = walk.totals(reach, after, count_to)
    page = RawSQL(f"SELECT id FROM ({sql}) page", values)  # noqa: S608, S611  # nosec B608, B611
    totals = RawSQL(  # noqa: S611  # nosec B611  our own texts, values bound
        totals_sql, totals_values, output_field=ArrayField(models.BigIntegerField())
    )
    rows = read(listed().filter(pk__in=page).annotate(totals=totals).order_by("queue_at", "pk"))
    if rows:
        return rows, rows[0].totals
    with connection.cursor() as cursor:
        cursor.execute(totals_sql, totals_values)
        row = cursor.fetchone()
    return [], row[0]


NEEDS_ME, MY_TEAMS, ALL = "needs-me", "my-teams", "all"


def walk_of(view: str, user: User, only: Filter = EVERYTHING) -> Walk:
    """The walk of the VIEW of that name, narrowed to ONLY."""
    walks = {NEEDS_ME: Walk.needing, MY_TEAMS: Walk.of_teams, ALL: Walk.visible_to}
    return walks[view](user).narrowed(only)
