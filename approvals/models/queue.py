"""Who has what before them: a person's queue, page by page.

A page is one statement. It walks the partial indexes of open assignments, once for the
person and once for each of their teams (LATERAL), and merges the walks: an OR over a join
would read the whole table. The count comes from the same statement, so that a badge and
its list never differ, and is exact up to COUNT_LIMIT. The next page is found by the last
row seen (queue_at, id), never by OFFSET.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.expressions import RawSQL

from approvals.models.listing import COUNT_LIMIT, PAGE_SIZE, ListPage, Place, listed
from approvals.models.sql import Statement, positional
from approvals.models.user import User

_OF_PERSON = """
  SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
   WHERE a.open AND a.group_id IS NULL AND a.user_id = %(user)s {narrow}
   ORDER BY a.queue_at, a.request_id LIMIT %(limit)s"""

_OF_TEAMS = """
  SELECT near.queue_at, near.id FROM approvals_user_groups team CROSS JOIN LATERAL (
         SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
          WHERE a.open AND a.user_id IS NULL AND a.group_id = team.group_id {narrow}
          ORDER BY a.queue_at, a.request_id LIMIT %(limit)s) near
   WHERE team.user_id = %(user)s"""

_VOTED_ON = """
  SELECT a.queue_at, a.id FROM approvals_decision mine
    JOIN approvals_approvalrequest a ON a.id = mine.request_id AND a.state = 'pending'
   WHERE mine.reviewer_id = %(user)s {after_request}"""

_EVERYTHING = """
  SELECT a.queue_at, a.id FROM approvals_approvalrequest a
   WHERE a.state = 'pending' {after_request}
   ORDER BY a.queue_at, a.id LIMIT %(limit)s"""

_OF_SOURCES = """
  SELECT near.queue_at, near.id FROM unnest(%(sources)s::bigint[]) AS overseen (id)
   CROSS JOIN LATERAL (
         SELECT a.queue_at, a.id FROM approvals_approvalrequest a
          WHERE a.state = 'pending' AND a.source_id = overseen.id {after_request}
          ORDER BY a.queue_at, a.id LIMIT %(limit)s) near"""

_AFTER = " AND (a.queue_at, a.request_id) > (%(after_at)s, %(after_id)s)"
_AFTER_REQUEST = " AND (a.queue_at, a.id) > (%(after_at)s, %(after_id)s)"

# The same names as policy.Wanting; lower() is not casefold() for a few letters, so both
# forms of a person's names are given. What slips through is refused by the gate.
_MY_MOVE = """
   AND a.asked_by_id IS DISTINCT FROM %(user)s
   AND NOT EXISTS (SELECT 1 FROM approvals_decision d
                    WHERE d.request_id = a.request_id AND d.reviewer_id = %(user)s)
   AND NOT (SELECT ARRAY[lower(btrim(normalize(w.requested_by, NFKC))),
                         lower(btrim(normalize(w.on_behalf_of, NFKC))),
                         lower(btrim(normalize(w.agent, NFKC)))] && %(names)s::text[]
                   OR %(user)s = ANY(w.wanted_by_ids)
              FROM approvals_approvalrequest w WHERE w.id = a.request_id)"""


@dataclass(frozen=True, slots=True)
class Walk:
    """Pending requests of USER in the order of their deadlines."""

    user: User
    branches: tuple[str, ...]
    narrow: str = ""

    @classmethod
    def needing(cls, user: User) -> Self:
        """What waits for USER: asked by name or team, not voted on, not made for them."""
        return cls(user, (_OF_PERSON, _OF_TEAMS), narrow=_MY_MOVE)

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

    def statement(self, limit: int, after: Place | None = None) -> Statement:
        """SELECT queue_at, id of the nearest LIMIT requests after AFTER, each once."""
        narrow = self.narrow + (_AFTER if after else "")
        after_request = _AFTER_REQUEST if after else ""
        branches = " UNION ".join(
            f"({branch.format(narrow=narrow, after_request=after_request)})"
            for branch in self.branches
        )
        sql = f"SELECT queue_at, id FROM ({branches}) w ORDER BY 1, 2 LIMIT %(limit)s"  # noqa: S608  # nosec B608
        return positional(sql, self._values(limit, after))

    def _values(self, limit: int, after: Place | None) -> dict[str, Any]:
        names = self.user.identities()
        return {
            "user": self.user.pk,
            "sources": self.user.rights.overseen_ids if _OF_SOURCES in self.branches else [],
            "limit": limit,
            "names": sorted(names | {name.lower() for name in names}),
            "after_at": after.at if after else None,
            "after_id": after.id if after else None,
        }


def pending_page(walk: Walk, *, after: Place | None = None, size: int = PAGE_SIZE) -> ListPage:
    """One page of WALK, in one statement."""
    sql, values = walk.statement(size + 1, after)
    counted, count_values = walk.statement(COUNT_LIMIT + 1)
    totals = RawSQL(  # noqa: S611  # nosec B611  our own texts, values bound
        f"SELECT ARRAY[count(*), max(id)] FROM ({counted}) counted",  # noqa: S608  # nosec B608
        count_values,
        output_field=ArrayField(models.BigIntegerField()),
    )
    page = RawSQL(f"SELECT id FROM ({sql}) page", values)  # noqa: S608, S611  # nosec B608, B611
    rows = list(listed().filter(pk__in=page).annotate(totals=totals).order_by("queue_at", "pk"))
    count, newest = rows[0].totals if rows else (0, 0)
    last = rows[size - 1] if len(rows) > size else None
    return ListPage(
        rows[:size],
        next=Place(last.queue_at, last.pk) if last else None,
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
        newest_id=newest,
    )


def count_newer(walk: Walk, than_id: int) -> int:
    """How many of WALK's nearest COUNT_LIMIT requests are younger than THAN_ID."""
    sql, values = walk.statement(COUNT_LIMIT)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({sql}) walked WHERE id > %s",  # noqa: S608  # nosec B608
            [*values, than_id],
        )
        row = cursor.fetchone()
    return int(row[0])
