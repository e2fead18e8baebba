"""Counting the lines of history, once each, without a hot row in anybody's way.

Whoever writes history adds to no count: a sweep follows behind, by primary key (models.trail).
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from approvals import turns
from approvals.models.tally import ADD
from approvals.models.trail import Trail
from approvals.states import AuditTag

#: Lines counted by one run at most.
BATCH = 100_000
#: Upper bounds of the buckets of `delivery_seconds`, in seconds, each counted for itself under
#: its own text; what took longer is in BEYOND.
LATENCY_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 86400.0)
BEYOND = "+Inf"

_TRAIL = Trail("events_place", turns.COUNT)
_CLOSING = [
    str(tag)
    for tag in (
        AuditTag.APPROVED, AuditTag.REJECTED, AuditTag.FORCED, AuditTag.EXPIRED,
        AuditTag.WITHDRAWN,
    )
]  # fmt: skip

_COUNT = """
WITH line AS MATERIALIZED (
  SELECT e.tag, r.state, r.kind_id,
         CASE WHEN e.tag = %(delivered)s THEN extract(epoch FROM e.at - d.owed_at) END AS took
    FROM approvals_auditevent e
    JOIN approvals_approvalrequest r ON r.id = e.request_id
    LEFT JOIN approvals_callbackdelivery d
           ON d.request_id = e.request_id AND e.tag = %(delivered)s
   WHERE e.id > %(after)s AND e.id <= %(upto)s
), counted (name, label, value) AS (
  SELECT 'events', tag, count(*) FROM line GROUP BY tag
   UNION ALL
  SELECT 'received', k.slug, count(*) FROM line JOIN approvals_requestkind k ON k.id = kind_id
   WHERE tag = %(received)s GROUP BY k.slug
   UNION ALL
  SELECT 'closed', state, count(*) FROM line WHERE tag = ANY(%(closing)s) GROUP BY state
   UNION ALL
  SELECT 'delivery_seconds',
         (%(bounds)s::text[])[1 + width_bucket(took::float8, %(seconds)s::float8[])], count(*)
    FROM line WHERE took IS NOT NULL GROUP BY 2
   UNION ALL
  SELECT 'delivery_seconds_sum', '', sum(greatest(took, 0)) FROM line
  HAVING count(took) > 0
)"""


def uncounted() -> int:
    """How many keys of history are still to be counted; some may never have been used."""
    return _TRAIL.behind()


def count_events() -> int:
    """Add lines of history that nobody has counted to the tallies; return how many keys on.

    Two at once, or one that dies, count every line once all the same.
    """
    return _TRAIL.follow(_count, batch=BATCH)


def _count(after: int, upto: int) -> None:
    values: dict[str, Any] = {
        "after": after,
        "upto": upto,
        "delivered": str(AuditTag.DELIVERED),
        "received": str(AuditTag.RECEIVED),
        "closing": _CLOSING,
        "seconds": list(LATENCY_BOUNDS),
        "bounds": [*map(str, LATENCY_BOUNDS), BEYOND],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT + ADD.format(rows="counted"), values)
