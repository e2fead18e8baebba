"""The promise to tell AWS "still waiting"."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from approvals.models.request import ApprovalRequest
from approvals.models.source import CallbackSource


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

    class Meta:
        # One index, as each beat moves its row in every one; walked along source by source.
        indexes = [models.Index(fields=["source", "next_beat_at"], name="heartbeat_due_of_source")]

    def __str__(self) -> str:
        return f"every {self.interval.total_seconds():g} s"

    def is_late(self, now: datetime) -> bool:
        """Half an interval over time: the sweep should have come by."""
        return now > self.next_beat_at + max(self.interval / 2, timedelta(seconds=2))
