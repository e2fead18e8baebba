"""Counts that outlive the process that made them, for /metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from django.db import connection, models

#: (name, label) -> how many more.
Counts: TypeAlias = "Mapping[tuple[str, str], float]"

#: To be put behind rows of (name, label, value): each is added to what stands there. The
#: rows come sorted, so that two who add to the same counts never wait for each other.
ADD = """
INSERT INTO approvals_tally AS kept (name, label, value)
SELECT name, label, value FROM {rows} ORDER BY name, label
    ON CONFLICT (name, label) DO UPDATE SET value = kept.value + excluded.value"""


class TallyQuerySet(models.QuerySet["Tally"]):
    def add(self, counts: Counts) -> None:
        """Add COUNTS to what has been counted; one statement, none for nothing."""
        if counts:
            with connection.cursor() as cursor:
                cursor.execute(ADD.format(rows=UNNESTED), columns(counts))

    def totals(self) -> dict[str, dict[str, float]]:
        """All counts by name, then by label."""
        found: dict[str, dict[str, float]] = {}
        for name, label, value in self.values_list("name", "label", "value"):
            found.setdefault(name, {})[label] = value
        return found


#: Rows made of `columns`.
UNNESTED = "unnest(%s::text[], %s::text[], %s::float8[]) AS counted (name, label, value)"


def columns(counts: Counts) -> list[list[str] | list[float]]:
    """The values of UNNESTED."""
    names, labels = [name for name, _ in counts], [label for _, label in counts]
    return [names, labels, list(counts.values())]


class Tally(models.Model):
    """One ever-growing number: so many things of NAME with LABEL have happened.

    Workers come and go, and whoever asks for metrics asks a web process: so the counts
    live in the database, added to once per sweep.
    """

    name = models.CharField(max_length=64)
    label = models.CharField(max_length=64, blank=True, default="")
    value = models.FloatField(default=0.0)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["name", "label"], name="one_tally_per_label"),
        ]

    def __str__(self) -> str:
        return f"{self.name}[{self.label}] {self.value:g}"
