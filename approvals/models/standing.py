"""How people stand towards one request at this moment; one statement for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from approvals.models.request import ApprovalRequest
from approvals.models.rights import REVIEWS_AT_SOURCE
from approvals.models.user import User, comparable


def _names(person: str) -> str:
    """The names of the account PERSON (an alias), as policy compares them."""
    columns = ", ".join(f"lower({person}.{name})" for name in ("username", "email", "subject"))
    return f"array_remove(ARRAY[{columns}]::text[], '')"


def same_person(one: str, other: str) -> str:
    """True where two accounts (aliases) are one person: they share a name of either."""
    return f"({one}.id = {other}.id OR {_names(one)} && {_names(other)})"


# Whom one asks oneself does not count, nor does one's second account: nobody makes
# themselves a reviewer of a request, or fills a place they moved.
_ASKED_BY_OTHERS = f"""NOT EXISTS (SELECT 1 FROM approvals_user asker
                    WHERE asker.id = a.asked_by_id AND {same_person("asker", "u")})"""  # noqa: S608  # nosec B608

#: The columns of a Standing towards the request %(request)s, for each person `u`.
STANDING_COLUMNS = f"""u.id, u.username, u.email, u.subject, {REVIEWS_AT_SOURCE},
       EXISTS (SELECT 1 FROM approvals_assignment a
                WHERE a.request_id = %(request)s
                  AND (a.user_id = u.id OR a.group_id IN
                       (SELECT group_id FROM approvals_user_groups WHERE user_id = u.id))
                  AND {_ASKED_BY_OTHERS}),
       EXISTS (SELECT 1 FROM approvals_approvalrequest q
                 JOIN approvals_user w ON w.id = ANY(q.wanted_by_ids)
                WHERE q.id = %(request)s AND {same_person("w", "u")}),
       ARRAY(SELECT r.group_id FROM approvals_requirement r
               JOIN approvals_user_groups member
                 ON member.group_id = r.group_id AND member.user_id = u.id
              WHERE r.request_id = %(request)s
                AND EXISTS (SELECT 1 FROM approvals_assignment a
                             WHERE a.request_id = r.request_id AND a.group_id = r.group_id
                               AND {_ASKED_BY_OTHERS}))"""  # noqa: S608  # nosec B608

_STANDINGS = f"""
SELECT {STANDING_COLUMNS}
  FROM approvals_user u WHERE u.id = ANY(%(people)s)"""  # noqa: S608  # nosec B608


# The same of one person towards many requests.
_TOWARDS = f"""
SELECT it.id, {STANDING_COLUMNS}
  FROM approvals_approvalrequest it, approvals_user u
 WHERE it.id = ANY(%(requests)s) AND u.id = %(person)s"""  # noqa: S608  # nosec B608
_TOWARDS = _TOWARDS.replace("%(request)s", "it.id").replace("%(source)s", "it.source_id")


@dataclass(frozen=True, slots=True)
class Standing:
    """One person towards one request: what they may at its source, and whether they are asked.

    IS_REQUESTER: they are whom its requester names meant, by this account or another.
    GROUP_IDS: the groups they are a member of, of those the request requires.
    """

    user_id: int
    identities: frozenset[str]
    is_reviewer: bool
    is_asked: bool
    is_requester: bool
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


def standings_towards(requests: Collection[int], person: User) -> dict[int, Standing]:
    """The standing of PERSON towards each of REQUESTS (ids), by request; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TOWARDS, {"requests": list(requests), "person": person.pk})
        rows = cursor.fetchall()
    return {request_id: standings_from([row])[person.pk] for request_id, *row in rows}


def standings_from(rows: Iterable[Sequence[Any]]) -> dict[int, Standing]:
    """The standings that ROWS of STANDING_COLUMNS tell of, by user id."""
    return {
        pk: Standing(pk, comparable(*names), reviews, asked, wants, frozenset(group_ids))
        for pk, *names, reviews, asked, wants, group_ids in rows
    }
