"""Signed checkpoints over all histories: they tell when a chain lost its end, or all of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from approvals.models.chain import GENESIS, holds, seal_line


class AuditCheckpointQuerySet(models.QuerySet["AuditCheckpoint"]):
    def last_of_all(self) -> AuditCheckpoint | None:
        return self.order_by("-pk").first()


class AuditCheckpoint(models.Model):
    """A seal over every line of history up to a certain one, and over the checkpoint before.

    A request's own chain shows a changed, swapped or missing line; a chain cut at its end,
    or gone with its request, shows here. Append-only, as the lines are. Keys are counted
    from 1 without a gap, and each begins where the one before it ended.
    """

    at = models.DateTimeField()
    first_event_id = models.BigIntegerField()
    last_event_id = models.BigIntegerField(unique=True)
    events = models.PositiveIntegerField()
    sha256 = models.BinaryField()  # over the seals of those lines, in the order of their keys
    mac = models.BinaryField()  # over all of the above and the former checkpoint's mac

    objects = AuditCheckpointQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.events} lines up to {self.last_event_id}"

    @classmethod
    def after(
        cls,
        former: AuditCheckpoint | None,
        last_event_id: int,
        *,
        events: int,
        sha256: bytes,
        at: datetime,
    ) -> AuditCheckpoint:
        """The checkpoint that follows FORMER, over EVENTS lines up to LAST_EVENT_ID; not saved."""
        checkpoint = cls(
            pk=former.pk + 1 if former else 1,
            at=at,
            first_event_id=former.last_event_id + 1 if former else 1,
            last_event_id=last_event_id,
            events=events,
            sha256=sha256,
        )
        checkpoint.mac = seal_line(_seal_of(former), checkpoint.line())
        return checkpoint

    def follows(self, former: AuditCheckpoint | None) -> bool:
        """Whether this is what was written after FORMER (None: as the first of all)."""
        place = (former.pk + 1, former.last_event_id + 1) if former else (1, 1)
        return (self.pk, self.first_event_id) == place and holds(
            bytes(self.mac), _seal_of(former), self.line()
        )

    def line(self) -> dict[str, Any]:
        return {
            "checkpoint": self.pk,
            "at": self.at.isoformat(),
            "first_event": self.first_event_id,
            "last_event": self.last_event_id,
            "events": self.events,
            "sha256": bytes(self.sha256).hex(),
        }


def _seal_of(checkpoint: AuditCheckpoint | None) -> bytes:
    return bytes(checkpoint.mac) if checkpoint else GENESIS
