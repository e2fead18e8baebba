"""Signed checkpoints over all histories: they tell when a chain lost its end, or all of it."""

from __future__ import annotations

from django.db import models


class AuditCheckpoint(models.Model):
    """A seal over every line of history up to a certain one, and over the checkpoint before.

    A request's own chain shows a changed, swapped or missing line; a chain cut at its end,
    or gone with its request, shows here. Append-only, as the lines are.
    """

    at = models.DateTimeField()
    first_event_id = models.BigIntegerField()
    last_event_id = models.BigIntegerField(unique=True)
    events = models.PositiveIntegerField()
    sha256 = models.BinaryField()  # over the seals of those lines, in the order of their keys
    mac = models.BinaryField()  # over all of the above and the former checkpoint's mac

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.events} lines up to {self.last_event_id}"
