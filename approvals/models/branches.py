"""The ways along which a person's pending requests are met, as SQL; models.queue walks them.

Each is a SELECT queue_at, id along one index, REACH rows at most; `AMONG` has the same of one
request alone.
"""

from __future__ import annotations

from approvals.models.filter import Sort

OF_PERSON = """
  SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
   WHERE a.open AND a.group_id IS NULL AND a.user_id = %(user)s {after}
   ORDER BY a.queue_at, a.request_id LIMIT %(reach)s"""

OF_TEAMS = """
  SELECT near.queue_at, near.id FROM approvals_user_groups team CROSS JOIN LATERAL (
         SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
          WHERE a.open AND a.user_id IS NULL AND a.group_id = team.group_id {after}
          ORDER BY a.queue_at, a.request_id LIMIT %(reach)s) near
   WHERE team.user_id = %(user)s"""

VOTED_ON = """
  SELECT a.queue_at, a.id FROM approvals_decision mine
    JOIN approvals_approvalrequest a ON a.id = mine.request_id AND a.state = 'pending'
   WHERE mine.reviewer_id = %(user)s {after_request}"""

ALL_PENDING = """
  SELECT a.queue_at, a.id FROM approvals_approvalrequest a
   WHERE a.state = 'pending' {after_request}
   ORDER BY a.queue_at, a.id LIMIT %(reach)s"""

OF_SOURCES = """
  SELECT near.queue_at, near.id FROM unnest(%(sources)s::bigint[]) AS overseen (id)
   CROSS JOIN LATERAL (
         SELECT a.queue_at, a.id FROM approvals_approvalrequest a
          WHERE a.state = 'pending' AND a.source_id = overseen.id {after_request}
          ORDER BY a.queue_at, a.id LIMIT %(reach)s) near"""

#: The same, of one request `hit` that holds what is searched for.
AMONG = {
    OF_PERSON: """
  SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
   WHERE a.request_id = hit.id AND a.open AND a.group_id IS NULL
     AND a.user_id = %(user)s {after}""",
    OF_TEAMS: """
  SELECT a.queue_at, a.request_id AS id FROM approvals_assignment a
   WHERE a.request_id = hit.id AND a.open AND a.user_id IS NULL
     AND a.group_id IN (SELECT group_id FROM approvals_user_groups WHERE user_id = %(user)s)
         {after}""",
    VOTED_ON: f"{VOTED_ON} AND a.id = hit.id",
    ALL_PENDING: """
  SELECT a.queue_at, a.id FROM approvals_approvalrequest a
   WHERE a.state = 'pending' AND a.id = hit.id {after_request}""",
    OF_SOURCES: """
  SELECT a.queue_at, a.id FROM approvals_approvalrequest a
   WHERE a.state = 'pending' AND a.id = hit.id AND a.source_id = ANY(%(sources)s::bigint[])
         {after_request}""",
}

AFTER = " AND (a.queue_at, a.request_id) > (%(after_at)s, %(after_id)s)"
AFTER_REQUEST = " AND (a.queue_at, a.id) > (%(after_at)s, %(after_id)s)"

#: Whom one asks oneself does not count; hardly anybody does, so that is asked first.
ASKED_BY_OTHERS = """
   AND (NOT (SELECT EXISTS (SELECT 1 FROM approvals_assignment x
                             WHERE x.request_id = a.request_id AND x.asked_by_id = %(user)s))
        OR (SELECT EXISTS (SELECT 1 FROM approvals_assignment x
                            WHERE x.request_id = a.request_id
                              AND x.asked_by_id IS DISTINCT FROM %(user)s
                              AND (x.user_id = %(user)s OR x.group_id IN (
                                   SELECT group_id FROM approvals_user_groups
                                    WHERE user_id = %(user)s)))))"""

#: How ids are compared with the last one seen, and the order: they rise as requests come in.
BY_ARRIVAL = {
    Sort.NEWEST: ("<", "a.request_id DESC"),
    Sort.OLDEST: (">", "a.request_id"),
}
