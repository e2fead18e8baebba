"""What has happened so far: counts kept in the database, and when each sweep came by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from prometheus_client.metrics_core import Metric

from approvals.models import SweepMark, Tally
from approvals.models.counting import BEYOND, LATENCY_BOUNDS
from approvals.operations.metrics.families import counter, gauge, gauges, histogram, rows_of
from approvals.states import AuditTag, DeliveryState, Reply, RequestState

_REPLIES = [str(reply) for reply in Reply]
_OUTCOMES = [str(state) for state in RequestState if state is not RequestState.PENDING]
_SETTLED = {
    str(AuditTag.DELIVERED): str(DeliveryState.DELIVERED),
    str(AuditTag.UNDELIVERABLE): str(DeliveryState.UNDELIVERABLE),
    str(AuditTag.UNCONFIRMED): str(DeliveryState.UNCONFIRMED),
}
_SCHEDULE: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
_RHYTHM: dict[str, float] = {
    entry["task"]: entry["schedule"].run_every.total_seconds() for entry in _SCHEDULE.values()
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
        yield counter(name, says, label, short, map(_short, _RHYTHM))


def sweeps() -> Iterator[Metric]:
    """Age and rhythm, side by side: what comes by once an hour is not late after a minute."""
    ((now,),) = rows_of("SELECT clock_timestamp()")
    marks = {mark.name: mark for mark in SweepMark.objects.all()}
    ages = dict.fromkeys(_RHYTHM, math.inf) | {
        name: (now - mark.finished_at).total_seconds() for name, mark in marks.items()
    }
    yield gauge("database_time_seconds", "The database's clock, by which all is judged.",
                now.timestamp())  # fmt: skip
    yield gauges(
        "sweep_age_seconds",
        "Time since each sweep last ended; +Inf if it never did.",
        ["sweep"],
        [([_short(name)], age) for name, age in ages.items()],
    )
    yield gauges(
        "sweep_period_seconds",
        "How often beat rings for each sweep.",
        ["sweep"],
        [([_short(name)], period) for name, period in _RHYTHM.items()],
    )
    yield gauges(
        "sweep_last_seconds",
        "How long each sweep took when it last ended.",
        ["sweep"],
        [([_short(name)], mark.seconds) for name, mark in marks.items()],
    )


def _short(task: str) -> str:
    return task.removeprefix("approvals.")
