"""Can those who are asked still decide a pending request? Asked of the database, for many at once.

People leave, teams are emptied, roles are taken while requests wait. The gate (policy)
refuses each click by itself; this tells beforehand that no click can come. It compares
names as models.queue does: what differs by a few letters' folding, the gate still refuses.
"""

from __future__ import annotations

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy

from approvals.models.request import ApprovalRequest
from approvals.models.rights import REVIEWS_AT_SOURCE
from approvals.models.sql import positional
from approvals.models.user import User


class Outlook(models.TextChoices):
    """What can come of a pending request; empty where it can be approved."""

    OPEN = "", gettext_lazy("It can be decided")
    NOBODY = "nobody", gettext_lazy("Nobody can decide this")
    SHORT = "short", gettext_lazy("Too few can approve this")


#: Lists look behind teams with so few reviewers, and behind whoever has lost the role; of
#: each at the nearest deadlines only. A larger team whose every reviewer asked for a
#: request or voted on it is told on that request's own page alone.
SMALL_TEAM = 2
NEAREST = 200
LISTED = 1_000

_R = ApprovalRequest._meta.db_table


def _names(*columns: str) -> str:
    return f"ARRAY[{', '.join(f'lower(btrim(normalize({column}, NFKC)))' for column in columns)}]"


# The people u who may decide the request, whether they have voted or not. OFFSET 0: planned
# for all rows; for the first of EXISTS alone PostgreSQL would read whole tables.
_ABLE = f"""
  FROM (SELECT user_id, group_id, asked_by_id FROM approvals_assignment
         WHERE request_id = {_R}.id OFFSET 0) a
 CROSS JOIN LATERAL (
       SELECT a.user_id AS id WHERE a.user_id IS NOT NULL
       UNION ALL
       SELECT user_id FROM approvals_user_groups WHERE group_id = a.group_id OFFSET 0) asked
  JOIN approvals_user u ON u.id = asked.id
 WHERE a.asked_by_id IS DISTINCT FROM u.id
   AND {REVIEWS_AT_SOURCE.replace("%(source)s", f"{_R}.source_id")}
   AND u.id <> ALL({_R}.wanted_by_ids)
   AND NOT array_remove({_names("u.username", "u.email", "u.subject")}, '')
           && {_names(f"{_R}.requested_by", f"{_R}.on_behalf_of", f"{_R}.agent")}"""  # noqa: S608  # nosec B608

_OUTLOOK = f"""
CASE
WHEN NOT EXISTS (SELECT 1 {_ABLE} AND NOT EXISTS (
       SELECT 1 FROM approvals_decision d
        WHERE d.request_id = {_R}.id AND d.reviewer_id = u.id AND d.retracted_at IS NULL))
THEN 'nobody'
WHEN ({_R}.required_approvals > 1
      AND (SELECT count(DISTINCT u.id) {_ABLE}) < {_R}.required_approvals)
  OR EXISTS (SELECT 1 FROM approvals_requirement q
              WHERE q.request_id = {_R}.id
                AND (SELECT count(DISTINCT u.id) {_ABLE} AND EXISTS (
                       SELECT 1 FROM approvals_user_groups g
                        WHERE g.user_id = u.id AND g.group_id = q.group_id)) < q.approvals)
THEN 'short'
ELSE '' END"""  # noqa: S608  # nosec B608

_REVIEWS_SOMEWHERE = REVIEWS_AT_SOURCE.replace("role.source_id = %(source)s AND ", "")

#: SELECT id: up to LISTED pending requests that are stranded, at all sources (%(everywhere)s)
#: or at %(sources)s. What is held is decided.
WITHOUT_DECIDERS = f"""
SELECT {_R}.id FROM (
  SELECT near.id FROM approvals_user u CROSS JOIN LATERAL (
         SELECT a.request_id AS id FROM approvals_assignment a
          WHERE a.open AND a.group_id IS NULL AND a.user_id = u.id
          ORDER BY a.queue_at, a.request_id LIMIT {NEAREST}) near
   WHERE NOT {_REVIEWS_SOMEWHERE}
  UNION
  SELECT near.id FROM auth_group team CROSS JOIN LATERAL (
         SELECT a.request_id AS id FROM approvals_assignment a
          WHERE a.open AND a.user_id IS NULL AND a.group_id = team.id
          ORDER BY a.queue_at, a.request_id LIMIT {NEAREST}) near
   WHERE {SMALL_TEAM} >= (
         SELECT count(*) FROM (
           SELECT 1 FROM approvals_user_groups m JOIN approvals_user u ON u.id = m.user_id
            WHERE m.group_id = team.id AND {_REVIEWS_SOMEWHERE} LIMIT {SMALL_TEAM + 1}) few)
) candidate JOIN {_R} ON {_R}.id = candidate.id
 WHERE {_R}.state = 'pending' AND {_R}.held_until IS NULL
   AND (%(everywhere)s OR {_R}.source_id = ANY(%(sources)s))
   AND {_OUTLOOK} <> ''
 LIMIT {LISTED}"""  # noqa: S608  # nosec B608


def outlook() -> RawSQL:
    """An annotation for rows of ApprovalRequest: their Outlook, as it is now."""
    return RawSQL(_OUTLOOK, [], output_field=models.CharField())  # noqa: S611  # nosec B611


def outlook_of(request: ApprovalRequest) -> Outlook:
    """One statement, whatever was fetched before."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_OUTLOOK} FROM {_R} WHERE id = %s", [request.pk])  # noqa: S608  # nosec B608
        row = cursor.fetchone()
    return Outlook(row[0])


def without_deciders(*, seen_by: User) -> RawSQL:
    """The ids of what WITHOUT_DECIDERS finds among what SEEN_BY oversees."""
    values = {"everywhere": seen_by.sees_everything, "sources": seen_by.rights.overseen_ids}
    return RawSQL(*positional(WITHOUT_DECIDERS, values))  # noqa: S611  # nosec B611
