"""What happened to a list since somebody read it: asked every few seconds, mostly for nothing.

It walks the indexes of all that was ever asked (asked_user, asked_group), youngest first,
and stops at what was there before: no news costs a step for each team.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db import connection

from approvals.models.filter import EVERYTHING, Filter
from approvals.models.listing import COUNT_LIMIT
from approvals.models.search import holds, values_of
from approvals.models.sight import sees
from approvals.models.sql import positional
from approvals.models.user import User

# The same names as policy.Wanting; lower() is not casefold() for a few letters, so both
# forms of a person's names are given. What slips through is refused by the gate. Plain
# ASCII, of as many bytes as characters, has one form only and need not be normalised.
_FOLDED = """CASE WHEN octet_length({0}) = length({0}) THEN lower(btrim({0}))
                  ELSE lower(btrim(normalize({0}, NFKC))) END"""
_WANTING = ", ".join(
    _FOLDED.format(f"w.{name}") for name in ("requested_by", "on_behalf_of", "agent")
)

#: Leaves out of rows `a` what the person has voted on, what was made for them, and what is
#: decided and held.
MY_MOVE = f"""
   AND NOT (SELECT EXISTS (SELECT 1 FROM approvals_decision d
                            WHERE d.request_id = a.request_id AND d.reviewer_id = %(user)s
                              AND d.retracted_at IS NULL))
   AND NOT (SELECT w.held_until IS NOT NULL OR %(user)s = ANY(w.wanted_by_ids)
                   OR ARRAY[{_WANTING}] && %(names)s::text[]
              FROM approvals_approvalrequest w WHERE w.id = a.request_id)"""  # noqa: S608  # nosec B608

#: The youngest request the person was ever asked; for overseers the youngest of all.
NEWEST = """
  SELECT greatest(
    (SELECT max(mine.request_id) FROM approvals_assignment mine WHERE mine.user_id = %(user)s),
    (SELECT max(ours.id) FROM approvals_user_groups team CROSS JOIN LATERAL (
            SELECT max(asked.request_id) AS id FROM approvals_assignment asked
             WHERE asked.group_id = team.group_id) ours
      WHERE team.user_id = %(user)s),
    CASE WHEN %(overseer)s THEN (SELECT max(id) FROM approvals_approvalrequest) END)"""

_OF_PERSON = """
  SELECT a.request_id, a.open, a.asked_by_id FROM approvals_assignment a
   WHERE a.user_id = %(user)s AND a.request_id > %(since)s
   ORDER BY a.request_id DESC LIMIT %(limit)s"""

_OF_TEAMS = """
  SELECT near.request_id, near.open, near.asked_by_id
    FROM approvals_user_groups team CROSS JOIN LATERAL (
         SELECT a.request_id, a.open, a.asked_by_id FROM approvals_assignment a
          WHERE a.group_id = team.group_id AND a.request_id > %(since)s
          ORDER BY a.request_id DESC LIMIT %(limit)s) near
   WHERE team.user_id = %(user)s"""

_OF_ALL = """
  SELECT a.id, a.state = 'pending', NULL::bigint FROM approvals_approvalrequest a
   WHERE a.id > %(since)s
   ORDER BY a.id DESC LIMIT %(limit)s"""

_OF_SOURCES = """
  SELECT near.id, near.open, NULL::bigint FROM unnest(%(sources)s::bigint[]) AS overseen (id)
   CROSS JOIN LATERAL (
         SELECT a.id, a.state = 'pending' AS open FROM approvals_approvalrequest a
          WHERE a.source_id = overseen.id AND a.id > %(since)s
          ORDER BY a.id DESC LIMIT %(limit)s) near"""


class News(Enum):
    """Whose news: what needs the person, what their teams are asked, all they see."""

    NEEDING = (_OF_PERSON, _OF_TEAMS)
    OF_TEAMS = (_OF_TEAMS,)
    EVERYTHING = (_OF_ALL,)
    VISIBLE = (_OF_PERSON, _OF_TEAMS, _OF_SOURCES)


@dataclass(frozen=True, slots=True)
class Since:
    """NEWER: how many have come. CLOSED: the ids of what was shown and waits no more."""

    newer: int
    closed: list[int]


_CLOSED = f"""
  SELECT ARRAY(SELECT r.id FROM approvals_approvalrequest r
                WHERE r.id = ANY(%(shown)s::bigint[]) AND r.state <> 'pending'
                  AND (%(all)s::boolean OR {sees("%(user)s::bigint")})
                ORDER BY r.id)"""  # noqa: S608  # nosec B608


def look_again(
    user: User,
    news: News,
    than_id: int,
    *,
    only: Filter = EVERYTHING,
    shown: Sequence[int] = (),
) -> Since:
    """What happened to a list since it was read; one statement.

    Of the youngest COUNT_LIMIT requests of NEWS those count that are open, after THAN_ID and
    left by ONLY. SHOWN: the ids of the rows that are looked at.
    """
    move = ""
    if news is News.NEEDING:
        move = f"AND asked_by_id IS DISTINCT FROM %(user)s {MY_MOVE}"
    if only.q:
        move = f"AND {holds(only.searched, 'a.request_id')} {move}"
    branches = " UNION ALL ".join(f"({branch})" for branch in news.value)
    sql = f"""
      SELECT (SELECT count(DISTINCT a.request_id)
                FROM ({branches}) a (request_id, open, asked_by_id)
               WHERE a.open {only.inside(due=True)} {move}), ({_CLOSED})"""  # noqa: S608  # nosec B608
    values: dict[str, Any] = (
        only.values
        | values_of(only.searched)
        | {
            "user": user.pk,
            "since": than_id,
            "limit": COUNT_LIMIT,
            "names": names_of(user),
            "sources": user.rights.overseen_ids if news is News.VISIBLE else [],
            "shown": list(shown),
            "all": user.is_superuser and user.is_active,
        }
    )
    with connection.cursor() as cursor:
        cursor.execute(*positional(sql, values))
        newer, closed = cursor.fetchone()
    return Since(newer, closed)


def names_of(user: User) -> list[str]:
    """The names under which a request may be made for USER, as the statements compare them."""
    names = user.identities()
    return sorted(names | {name.lower() for name in names})
