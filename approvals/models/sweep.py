"""When each sweep last came by: a worker is alive if its sweeps end, not if it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection, models

from approvals.models.tally import ADD, UNNESTED, columns

_MARK = """
WITH mark AS (
  INSERT INTO approvals_sweepmark (name, finished_at, found, seconds)
  VALUES (%s, coalesce(%s, clock_timestamp()), %s, %s)
      ON CONFLICT (name) DO UPDATE SET finished_at = excluded.finished_at,
                                       found = excluded.found, seconds = excluded.seconds
)"""
_FINISHED = _MARK + ADD.format(rows=UNNESTED)


class SweepMarkQuerySet(models.QuerySet["SweepMark"]):
    def finished(
        self,
        name: str,
        *,
        found: int,
        at: datetime | None = None,
        seconds: float = 0.0,
        counts: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        """NAME came by, in one statement: took SECONDS, FOUND so much, and adds its COUNTS.

        AT: the database's own clock unless given.
        """
        ran = {("sweep_runs", name): 1.0, ("sweep_seconds", name): seconds}
        tallied = {**ran, ("sweep_found", name): float(found), **(counts or {})}
        with connection.cursor() as cursor:
            cursor.execute(_FINISHED, [name, at, found, seconds, *columns(tallied)])

    def ends(self, names: Iterable[str]) -> dict[str, datetime]:
        """When each of NAMES last ended; one that never did is left out."""
        return dict(self.filter(name__in=names).values_list("name", "finished_at"))


class SweepMark(models.Model):
    name = models.CharField(max_length=64, primary_key=True)
    finished_at = models.DateTimeField()
    found = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0.0, db_default=0.0)  # how long it took

    objects = SweepMarkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.finished_at:%H:%M:%S}"
