"""How often each sweep comes by, and when its absence is an alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

_SCHEDULE: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
#: How often beat rings for each sweep, in seconds, by the sweep's full name.
PERIODS: dict[str, float] = {
    entry["task"]: entry["schedule"].run_every.total_seconds() for entry in _SCHEDULE.values()
}
#: A sweep is missed once it has not ended for two of its periods and this: the longest takes
#: 25 s, and the alarm must come within two minutes of beat's falling silent.
GRACE = timedelta(seconds=60)

#: SELECT the short names of sweeps that used to come by and are missed, in %(sweeps)s with
#: %(periods)s; one that never came by is for readiness to tell.
MISSED = """
SELECT replace(due.name, 'approvals.', '')
  FROM unnest(%(sweeps)s::text[], %(periods)s::float8[]) AS due (name, period)
  JOIN approvals_sweepmark mark ON mark.name = due.name
 WHERE mark.finished_at < clock_timestamp() - make_interval(secs => %(grace)s + 2 * due.period)
 ORDER BY due.period, due.name"""


def missed_values() -> dict[str, Any]:
    """The values of MISSED."""
    return {
        "sweeps": list(PERIODS),
        "periods": list(PERIODS.values()),
        "grace": GRACE.total_seconds(),
    }
