"""Whether a source's way to AWS is open; a broken one is tried by a probe now and then."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from approvals.models.source import CallbackSource


class CircuitQuerySet(models.QuerySet["Circuit"]):
    def open(self) -> Self:
        """The sources that are not called now, the one longest cut off first."""
        return self.filter(opened_at__isnull=False).order_by("opened_at")

    def probe_at_once(self, source_id: int, *, at: datetime) -> None:
        """Somebody mended SOURCE_ID's way, or says so: its next call need not wait."""
        self.filter(source=source_id, probe_at__gt=at).update(probe_at=at)


class Circuit(models.Model):
    """How calls for one source have lately ended; a source without a row had no trouble.

    Only callbacks/circuit writes it, but for `probe_at_once`. `failures` counts calls in a
    row that ended in the source's own trouble. With `opened_at` set, nothing is sent for it
    before `probe_at`, and then one call alone; `probes` counts those.
    """

    source = models.OneToOneField(
        CallbackSource, models.CASCADE, primary_key=True, related_name="circuit"
    )
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    probes = models.PositiveIntegerField(default=0)
    detail = models.CharField(max_length=300, blank=True, default="")

    objects = CircuitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opened_at=None, probe_at=None)
                | models.Q(opened_at__isnull=False, probe_at__isnull=False),
                name="open_circuits_are_probed",
            ),
        ]

    def __str__(self) -> str:
        return "open" if self.opened_at else "closed"
