"""What has happened so far: counts kept in the database, and when each sweep came by."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from approvals.models import SweepMark, Tally
from approvals.models.counting import BEYOND, LATENCY_BOUNDS
from approvals.operations.metrics.families import counter, gauge, gauges, histogram, rows_of
from approvals.operations.rhythm import PERIODS
from approvals.states import AuditTag, DeliveryState, Reply, RequestState

_REPLIES = [str(reply) for reply in Reply]
_OUTCOMES = [str(state) for state in RequestState if state is not RequestState.PENDING]
_SETTLED = {
    str(AuditTag.DELIVERED): str(DeliveryState.DELIVERED),
    str(AuditTag.UNDELIVERABLE): str(DeliveryState.UNDELIVERABLE),
    str(AuditTag.UNCONFIRMED): str(DeliveryState.UNCONFIRMED),
}


def counted() -> Iterator[Metric]:
    totals = Tally.objects.totals()
    events = totals.get("events", {})
    yield counter("requests_received", "Requests received.", "kind", totals.get("received", {}))
    yield counter(
        "requests_closed", "Requests closed.", "outcome", totals.get("closed", {}), _OUTCOMES
    )
    yield counter(
        "events", "Lines of history written.", "event", events, [str(tag) for tag in AuditTag]
    )
    settled = {state: events.get(tag, 0.0) for tag, state in _SETTLED.items()}
    yield counter(
        "deliveries_settled",
        "Answers settled; one sent again or looked up later counts each time.",
        "state",
        settled,
    )
    yield histogram(
        "delivery_seconds",
        "From the decision to AWS having taken the answer.",
        [*map(str, LATENCY_BOUNDS), BEYOND],
        totals.get("delivery_seconds", {}),
        totals.get("delivery_seconds_sum", {}).get("", 0.0),
    )
    yield from _calls(totals)


def _calls(totals: dict[str, dict[str, float]]) -> Iterator[Metric]:
    told = {
        "delivery_attempts": "Answers sent to AWS.",
        "beats": "Heartbeats sent to AWS; all replies but accepted and closed are missed beats.",
        "looks": "Executions looked at.",
        "history_reads": "Pages of histories read.",
    }
    for name, says in told.items():
        yield counter(name, says, "reply", totals.get(name, {}), _REPLIES)
    yield counter(
        "beats_timed",
        "Heartbeats sent; late ones half their interval, and 2 s, after they were due.",
        "timing",
        totals.get("beats_timed", {}),
        ["on_time", "late"],
    )
    for name, says, label in (
        ("sweep_runs", "Sweeps that ended.", "sweep"),
        ("sweep_seconds", "Time spent in sweeps that ended.", "sweep"),
        ("sweep_found", "Pieces of work done by sweeps that ended.", "sweep"),
    ):
        short = {_short(sweep): number for sweep, number in totals.get(name, {}).items()}
        yield counter(name, says, label, short, map(_short, PERIODS))


# Since a sweep that never ended could first have come by.
_CLOCKS = "SELECT clock_timestamp(), max(applied) FROM django_migrations WHERE app = 'approvals'"


def sweeps() -> Iterator[Metric]:
    """Age and period, side by side: what comes by once an hour is not late after a minute."""
    ((now, migrated),) = rows_of(_CLOCKS)
    marks = {mark.name: mark for mark in SweepMark.objects.all()}
    ends = dict.fromkeys(PERIODS, migrated) | {name: row.finished_at for name, row in marks.items()}
    yield gauge(
        "database_time_seconds", "The database's clock, by which all is judged.", now.timestamp()
    )
    yield gauges(
        "sweep_age_seconds",
        "Time since each sweep last ended; if it never did, since the last migration.",
        ["sweep"],
        [([_short(name)], (now - end).total_seconds()) for name, end in ends.items()],
    )
    yield gauges(
        "sweep_period_seconds",
        "How often beat rings for each sweep.",
        ["sweep"],
        [([_short(name)], period) for name, period in PERIODS.items()],
    )
    yield gauges(
        "sweep_last_seconds",
        "How long each sweep took when it last ended.",
        ["sweep"],
        [([_short(name)], mark.seconds) for name, mark in marks.items()],
    )


def _short(task: str) -> str:
    return task.removeprefix("approvals.")
