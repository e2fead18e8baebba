"""Counts that outlive the process that made them, for /metrics."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """One ever-growing number: so many things of NAME with LABEL have happened.

    Workers come and go, and whoever asks for metrics asks a web process: so the counts
    live in the database, added to once per sweep.
    """

    name = models.CharField(max_length=64)
    label = models.CharField(max_length=64, blank=True, default="")
    value = models.FloatField(default=0.0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["name", "label"], name="one_tally_per_label"),
        ]

    def __str__(self) -> str:
        return f"{self.name}[{self.label}] {self.value:g}"
