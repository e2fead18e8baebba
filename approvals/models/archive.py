"""Everything a person may see, youngest first, also what was closed long ago.

Like the queue, a page is one statement of walks along indexes: one over what the person
was asked by name, one for each of their teams (LATERAL), one over their own decisions.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, IntegerField
from django.db.models.expressions import RawSQL

from approvals.models.listing import COUNT_LIMIT, PAGE_SIZE, ListPage, Place, listed, page_of
from approvals.models.sql import Statement, positional
from approvals.models.user import User

_BY_NAME = """
  SELECT a.request_id AS id FROM approvals_assignment a
   WHERE a.user_id = %(user)s {narrow}
   ORDER BY a.request_id DESC LIMIT %(limit)s"""

_BY_TEAM = """
  SELECT near.id FROM approvals_user_groups team CROSS JOIN LATERAL (
         SELECT a.request_id AS id FROM approvals_assignment a
          WHERE a.group_id = team.group_id {narrow}
          ORDER BY a.request_id DESC LIMIT %(limit)s) near
   WHERE team.user_id = %(user)s"""

_DECIDED = """
  SELECT a.request_id AS id FROM approvals_decision a
   WHERE a.reviewer_id = %(user)s {narrow}
   ORDER BY a.request_id DESC LIMIT %(limit)s"""

_ALL = """
  SELECT a.request_id AS id
    FROM (SELECT id AS request_id FROM approvals_approvalrequest) a
   WHERE TRUE {narrow}
   ORDER BY a.request_id DESC LIMIT %(limit)s"""

_OF_SOURCES = """
  SELECT near.id FROM unnest(%(sources)s::bigint[]) AS overseen (id) CROSS JOIN LATERAL (
         SELECT a.request_id AS id
           FROM (SELECT id AS request_id FROM approvals_approvalrequest
                  WHERE source_id = overseen.id) a
          WHERE TRUE {narrow}
          ORDER BY a.request_id DESC LIMIT %(limit)s) near"""

_IN_STATE = """
   AND (SELECT r.state FROM approvals_approvalrequest r WHERE r.id = a.request_id) = %(state)s"""
BEFORE = " AND a.request_id < %(before)s"


def visible_page(
    user: User, *, state: str = "", after: Place | None = None, size: int = PAGE_SIZE
) -> ListPage:
    """What USER may see, in STATE if one is named; Place is (received_at, id)."""
    sql, values = _walk(user, state, size + 1, before=after.id if after else None)
    counted, count_values = _walk(user, state, COUNT_LIMIT + 1)
    page = RawSQL(sql, values)  # noqa: S611  # nosec B611  our own text, values bound
    total = RawSQL(  # noqa: S611  # nosec B611
        f"SELECT count(*) FROM ({counted}) counted",  # noqa: S608  # nosec B608
        count_values,
        output_field=IntegerField(),
    )
    rows = listed().filter(pk__in=page)
    rows = rows.annotate(place_at=F("received_at"), place_id=F("pk"), total=total)
    return page_of(rows.order_by("-pk"), size)


def youngest_of(user: User, *, narrow: str = "") -> str:
    """SQL: SELECT id of the youngest %(limit)s requests USER may see, each once; also takes
    %(user)s and %(sources)s. NARROW: AND … of rows `a` with a request_id."""
    overseen = (_OF_SOURCES,) if user.rights.overseen_ids else ()
    walks = (_ALL,) if user.sees_everything else (_BY_NAME, _BY_TEAM, _DECIDED, *overseen)
    branches = " UNION ".join(f"({walk.format(narrow=narrow)})" for walk in walks)
    return f"SELECT id FROM ({branches}) w ORDER BY id DESC LIMIT %(limit)s"  # noqa: S608  # nosec B608


def _walk(user: User, state: str, limit: int, before: int | None = None) -> Statement:
    """SELECT id: the youngest LIMIT requests below the id BEFORE, each once."""
    narrow = (_IN_STATE if state else "") + (BEFORE if before else "")
    values: dict[str, Any] = {
        "user": user.pk,
        "sources": user.rights.overseen_ids,
        "limit": limit,
        "state": state,
        "before": before,
    }
    return positional(youngest_of(user, narrow=narrow), values)
