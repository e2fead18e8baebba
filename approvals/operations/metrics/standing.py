"""What stands open now: requests, answers owed, work that is due. Each one bounded statement."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from approvals.models.counting import uncounted
from approvals.models.outlook import WITHOUT_DECIDERS
from approvals.operations.metrics.families import gauge, gauges, rows_of

#: Kinds and sources told one by one; there are as many as admins have made.
LISTED = 200
#: Answers that AWS did not take are counted up to here, the latest first.
NOT_TAKEN_LIMIT = 10_000

#: Names of the age buckets of open requests, the oldest first.
AGES = ("over 30d", "7d to 30d", "1d to 7d", "1h to 1d", "5m to 1h", "under 5m")

# Along pending_by_queue alone, however many are closed; times are compared, not subtracted,
# as this is done for each open request.
_OPEN = """
SELECT k.slug, counted.bucket, counted.number,
       extract(epoch FROM now() - counted.first_at)::float8
  FROM (SELECT kind_id, count(*) AS number, min(received_at) AS first_at,
               width_bucket(received_at, ARRAY[
                   now() - interval '30 days', now() - interval '7 days',
                   now() - interval '1 day', now() - interval '1 hour',
                   now() - interval '5 minutes']) AS bucket
          FROM approvals_approvalrequest WHERE state = 'pending'
         GROUP BY 1, 4) counted
  JOIN approvals_requestkind k ON k.id = counted.kind_id"""

# queue_at is the nearer of due_at and answer_by.
_DEADLINES = """
SELECT count(*) FILTER (WHERE answer_by <= now() + interval '15 minutes'),
       count(*) FILTER (WHERE due_at < now()),
       coalesce(max(extract(epoch FROM now() - due_at)) FILTER (WHERE due_at < now()), 0)
  FROM approvals_approvalrequest
 WHERE state = 'pending' AND queue_at <= now() + interval '15 minutes'"""

_OWED = """
SELECT count(*) FILTER (WHERE NOT in_flight AND last_reply = ''),
       count(*) FILTER (WHERE NOT in_flight AND last_reply <> ''),
       count(*) FILTER (WHERE in_flight),
       coalesce(extract(epoch FROM now() - min(owed_at)), 0)
  FROM approvals_callbackdelivery WHERE state = 'pending'"""

_NOT_TAKEN = """
SELECT state, count(*) FROM (
  SELECT state FROM approvals_callbackdelivery
   WHERE state <> 'delivered' AND state <> 'pending'
   ORDER BY owed_at DESC LIMIT %(limit)s) latest
 GROUP BY state"""

_DUE_AT_ONE_TABLE = {
    "deliveries": ("callbackdelivery", "next_attempt_at", "AND state = 'pending'"),
    "clocks": ("approvalrequest", "clock_at", "AND state = 'pending'"),
    "notices": ("notice", "next_attempt_at", "AND state = 'pending'"),
    "questions": ("questiondelivery", "next_attempt_at", "AND state = 'pending'"),
    "executions": ("execution", "next_look_at", ""),
    "callback_checks": ("callbackcheck", "next_attempt_at", ""),
    "histories": ("executionhistory", "next_read_at", ""),
}
# Heartbeats stand in one index by source: each source's own part of it is walked.
_DUE = " UNION ALL ".join(
    [
        *(
            f"SELECT '{work}', count(*), min({clock}) FROM approvals_{table} "  # noqa: S608  # nosec B608  our own words
            f"WHERE {clock} <= now() {and_so}"
            for work, (table, clock, and_so) in _DUE_AT_ONE_TABLE.items()
        ),
        """
        SELECT 'holds', count(*), min(r.held_until)
          FROM approvals_heldanswer h JOIN approvals_approvalrequest r ON r.id = h.request_id
         WHERE r.held_until <= now()""",
        """
        SELECT 'heartbeats', coalesce(sum(number), 0), min(oldest)
          FROM approvals_callbacksource s CROSS JOIN LATERAL (
               SELECT count(*) AS number, min(next_beat_at) AS oldest FROM approvals_heartbeat
                WHERE source_id = s.id AND next_beat_at <= now()) of_source""",
    ]
)
_DUE_FOR = f"SELECT work, number, coalesce(extract(epoch FROM now() - oldest), 0) FROM ({_DUE}) due (work, number, oldest)"  # noqa: S608, E501  # nosec B608

_LATE_BEATS = """
SELECT coalesce(sum(number), 0) FROM approvals_callbacksource s CROSS JOIN LATERAL (
       SELECT count(*) AS number FROM approvals_heartbeat
        WHERE source_id = s.id AND next_beat_at <= now()
          AND next_beat_at < now() - greatest(interval / 2, interval '2 s')) of_source"""

_CIRCUITS = """
SELECT s.slug, c.opened_at IS NOT NULL
  FROM approvals_circuit c JOIN approvals_callbacksource s ON s.id = c.source_id
 ORDER BY c.opened_at NULLS LAST, s.id LIMIT %(listed)s"""


def requests() -> Iterator[Metric]:
    found = rows_of(_OPEN)
    kinds = rows_of("SELECT slug FROM approvals_requestkind ORDER BY id LIMIT %(n)s", {"n": LISTED})
    counted = {(slug, AGES[-1]): 0 for (slug,) in kinds}
    for slug, bucket, number, _ in found:
        kind = slug if (slug, AGES[-1]) in counted else "other"
        counted[kind, AGES[bucket]] = counted.get((kind, AGES[bucket]), 0) + number
    yield gauges(
        "requests_open", "Requests that wait for a decision.", ["kind", "age"], counted.items()
    )
    yield gauge(
        "oldest_open_request_seconds",
        "Age of the request that has waited longest; 0 if none waits.",
        max((oldest for *_, oldest in found), default=0),
    )


def holds() -> Iterator[Metric]:
    ((held,),) = rows_of("SELECT count(*) FROM approvals_heldanswer")
    yield gauge(
        "decisions_held", "Decisions made that are not sent yet, as they can be taken back.", held
    )


def deadlines() -> Iterator[Metric]:
    ((soon, overdue, oldest),) = rows_of(_DEADLINES)
    yield gauge(
        "requests_near_deadline", "Open requests whose deadline is 15 minutes away or less.", soon
    )
    yield gauge("requests_overdue", "Open requests whose due time has passed.", overdue)
    yield gauge(
        "oldest_overdue_request_seconds",
        "Time since the due time of the open request that is overdue longest; 0 if none is.",
        oldest,
    )


def deciders() -> Iterator[Metric]:
    everywhere = {"everywhere": True, "sources": []}
    ((number,),) = rows_of(f"SELECT count(*) FROM ({WITHOUT_DECIDERS}) x", everywhere)  # noqa: S608  # nosec B608
    yield gauge(
        "requests_nobody_can_decide",
        "Open requests that nobody, or too few, of those asked can decide; counted up to 1000.",
        number,
    )


def deliveries() -> Iterator[Metric]:
    ((new, again, sending, oldest),) = rows_of(_OWED)
    yield gauges(
        "deliveries_owed",
        "Answers owed to AWS: not tried yet, to be tried again, being sent.",
        ["state"],
        [(["new"], new), (["retrying"], again), (["in_flight"], sending)],
    )
    yield gauge(
        "oldest_owed_delivery_seconds", "Age of the answer owed to AWS longest; 0 if none.", oldest
    )
    standing = {"undeliverable": 0, "unconfirmed": 0}
    standing |= dict(rows_of(_NOT_TAKEN, {"limit": NOT_TAKEN_LIMIT}))
    yield gauges(
        "deliveries_not_taken",
        "Answers AWS has not taken as far as we know, among the latest 10000.",
        ["state"],
        [([state], number) for state, number in standing.items()],
    )


def due_work() -> Iterator[Metric]:
    due = rows_of(_DUE_FOR)
    yield gauges(
        "work_due",
        "Work that is due and not begun; history: keys of lines not counted yet.",
        ["work"],
        [*(([work], float(number)) for work, number, _ in due), (["history"], uncounted())],
    )
    yield gauges(
        "oldest_due_seconds",
        "How long the oldest such work has been due; 0 if none is.",
        ["work"],
        [([work], float(oldest)) for work, _, oldest in due],
    )
    ((late,),) = rows_of(_LATE_BEATS)
    yield gauge(
        "heartbeats_late", "Heartbeats due for more than half their interval, and 2 s.", late
    )


def circuits() -> Iterator[Metric]:
    yield gauges(
        "circuit_open",
        "1 while nothing is sent for a source but probes; sources that had no trouble are absent.",
        ["source"],
        [([slug], float(is_open)) for slug, is_open in rows_of(_CIRCUITS, {"listed": LISTED})],
    )
