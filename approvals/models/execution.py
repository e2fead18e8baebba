"""The durable execution behind a request, as far as we know it."""

from __future__ import annotations

from django.db import models

from approvals.models.source import CallbackSource
from approvals.states import TERMINAL_STATUSES, ExecutionStatus


class Execution(models.Model):
    """What AWS last said of one durable execution.

    lifecycle/executions writes what was seen, callbacks/executions when to look next.
    `seen_at` is the moment at which it stood so; older news changes nothing.
    `status` may hold a word AWS added later: it then counts as open.
    """

    source = models.ForeignKey(
        CallbackSource, models.PROTECT, related_name="executions", db_index=False
    )
    arn = models.CharField(max_length=1024)
    status = models.CharField(max_length=16, default=ExecutionStatus.UNKNOWN)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "arn"], name="one_row_per_execution"),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=models.Q(next_look_at__isnull=False),
                name="executions_to_look_at",
            ),
        ]

    def __str__(self) -> str:
        return self.arn

    @property
    def has_ended(self) -> bool:
        return self.status in TERMINAL_STATUSES

    @property
    def name(self) -> str:
        """The execution's own name: `…/durable-execution/NAME/ID`, or the runner's id."""
        parts = self.arn.split("/")
        return parts[-2] if len(parts) >= 2 else self.arn
