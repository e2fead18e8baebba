"""Counting the lines of history, once each, without a hot row in anybody's way.

Whoever writes history adds to no count: a sweep walks behind, by primary key. A line may
become visible after one with a higher key, so it walks only as far as no line can appear
any more: up to a ceiling it saw once, after every transaction of that moment has ended.
A transaction of that moment has a lower number than one that begins just after (the fence);
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction

from approvals import turns
from approvals.models.tally import ADD, Tally
from approvals.states import AuditTag

#: Lines counted by one run at most.
BATCH = 100_000
#: Upper bounds of the buckets of `delivery_seconds`, in seconds, each counted for itself under
#: its own text; what took longer is in BEYOND.
LATENCY_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 86400.0)
BEYOND = "+Inf"

_PLACE = "events_place"
_CLOSING = [
    str(tag)
    for tag in (
        AuditTag.APPROVED, AuditTag.REJECTED, AuditTag.FORCED, AuditTag.EXPIRED,
        AuditTag.WITHDRAWN,
    )
]  # fmt: skip

_NEWEST = "SELECT coalesce((SELECT id FROM approvals_auditevent ORDER BY id DESC LIMIT 1), 0)"
_OPEN = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""

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


@dataclass(frozen=True, slots=True)
class _Place:
    """Counted are all lines up to `counted`. No line up to `ceiling` can appear any more
    once no transaction below `fence` is open."""

    counted: int = 0
    ceiling: int = 0
    fence: int = 0


def uncounted() -> int:
    """How many keys of history are still to be counted; some may never have been used."""
    (newest,) = _ask(_NEWEST)
    return int(max(newest - _read().counted, 0))


def count_events() -> int:
    """Add lines of history that nobody has counted to the tallies; return how many keys on.

    Two at once, or one that dies, count every line once all the same.
    """
    _raise_ceiling()
    return _count_below()


@transaction.atomic(durable=True)
def _raise_ceiling() -> None:
    _lock()
    place, (newest,) = _read(), _ask(_NEWEST)
    if place.ceiling > place.counted or newest <= place.counted:
        return
    # After the look: whoever has taken a key up to the newest has a lower number than this.
    (fence,) = _ask("SELECT pg_current_xact_id()::text::bigint")
    _write(_Place(place.counted, newest, fence))


@transaction.atomic(durable=True)
def _count_below() -> int:
    _lock()
    place, (oldest_open, next_seen) = _read(), _ask(_OPEN)
    if place.fence >= next_seen:  # of another server, from before a restore: look anew
        _write(_Place(place.counted, place.counted, 0))
        return 0
    if place.fence > oldest_open or place.ceiling <= place.counted:
        return 0
    upto = min(place.ceiling, place.counted + BATCH)
    _count(place.counted, upto)
    _write(_Place(upto, place.ceiling, place.fence))
    return upto - place.counted


def _lock() -> None:
    # A lock of its own, not a row's: that would give this transaction a number, and the
    # oldest open one would always be this.
    _ask("SELECT pg_advisory_xact_lock(%s)", turns.COUNT)


def _ask(sql: str, *values: int) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


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


def _read() -> _Place:
    rows = Tally.objects.filter(name=_PLACE).values_list("label", "value")
    return _Place(**{label: int(value) for label, value in rows})


def _write(place: _Place) -> None:
    Tally.objects.bulk_create(
        [
            Tally(name=_PLACE, label=label, value=float(value))
            for label, value in asdict(place).items()
        ],
        update_conflicts=True,
        unique_fields=["name", "label"],
        update_fields=["value"],
    )
