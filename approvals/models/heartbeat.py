"""The promise to tell AWS "still waiting"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F

from approvals.models.request import ApprovalRequest
from approvals.models.source import CallbackSource

#: A sweep comes by every second; a beat is called late no sooner than this.
LEAST_LATENESS = timedelta(seconds=2)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def late(self, now: datetime) -> Self:
        """Those of which `is_late` is true; named by source, as the index is walked."""
        overdue = self.filter(source__in=CallbackSource.objects.values("pk"))
        overdue = overdue.filter(next_beat_at__lt=now - LEAST_LATENESS)
        return overdue.filter(next_beat_at__lt=now - F("interval") / 2)


class Heartbeat(models.Model):
    """One row per callback that must be kept alive; gone when it need not be.

    Only callbacks/beats moves it; the desk creates it, and whoever ends the wait
    deletes it. `interval` is a third of AWS's heartbeat timeout.
    """

    request = models.OneToOneField(
        ApprovalRequest, models.CASCADE, primary_key=True, related_name="heartbeat"
    )
    source = models.ForeignKey(
        CallbackSource, models.CASCADE, related_name="heartbeats", db_index=False
    )
    interval = models.DurationField()
    next_beat_at = models.DateTimeField()
    last_beat_at = models.DateTimeField(null=True, blank=True)
    beats = models.PositiveIntegerField(default=0)
    misses = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True, default="")

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        # One index, as each beat moves its row in every one; walked along source by source.
        indexes = [models.Index(fields=["source", "next_beat_at"], name="heartbeat_due_of_source")]

    def __str__(self) -> str:
        return f"every {self.interval.total_seconds():g} s"

    def is_late(self, now: datetime) -> bool:
        """Half an interval over time: the sweep should have come by."""
        return now > self.next_beat_at + max(self.interval / 2, LEAST_LATENESS)
