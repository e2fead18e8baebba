"""How people stand towards one request at this moment; one statement for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from approvals.models.request import ApprovalRequest
from approvals.models.rights import REVIEWS_AT_SOURCE
from approvals.models.user import comparable

# Whom one asks oneself does not count: nobody makes themselves a reviewer of a request.
#: The columns of a Standing towards the request %(request)s, for each person `u`.
STANDING_COLUMNS = f"""u.id, u.username, u.email, u.subject, {REVIEWS_AT_SOURCE},
       EXISTS (SELECT 1 FROM approvals_assignment a
                WHERE a.request_id = %(request)s AND a.asked_by_id IS DISTINCT FROM u.id
                  AND (a.user_id = u.id OR a.group_id IN
                       (SELECT group_id FROM approvals_user_groups WHERE user_id = u.id))),
       ARRAY(SELECT r.group_id FROM approvals_requirement r
               JOIN approvals_user_groups member
                 ON member.group_id = r.group_id AND member.user_id = u.id
              WHERE r.request_id = %(request)s)"""  # noqa: S608  # nosec B608

_STANDINGS = f"""
SELECT {STANDING_COLUMNS}
  FROM approvals_user u WHERE u.id = ANY(%(people)s)"""  # noqa: S608  # nosec B608


@dataclass(frozen=True, slots=True)
class Standing:
    """One person towards one request: what they may at its source, and whether they are asked.

    GROUP_IDS: the groups they are a member of, of those the request requires.
    """

    user_id: int
    identities: frozenset[str]
    is_reviewer: bool
    is_asked: bool
    group_ids: frozenset[int]


def standings_of(request: ApprovalRequest, people: Collection[int]) -> dict[int, Standing]:
    """The standing of PEOPLE (user ids) towards REQUEST, as the database knows it now."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDINGS,
            {"request": request.pk, "source": request.source_id, "people": list(people)},
        )
        rows = cursor.fetchall()
    return standings_from(rows)


def standings_from(rows: Iterable[Sequence[Any]]) -> dict[int, Standing]:
    """The standings that ROWS of STANDING_COLUMNS tell of, by user id."""
    return {
        pk: Standing(pk, comparable(*names), reviews, asked, frozenset(group_ids))
        for pk, *names, reviews, asked, group_ids in rows
    }
