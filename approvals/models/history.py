"""What an execution's own history says: its steps, and what became of a callback."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import connection, models

from approvals.models.execution import Execution
from approvals.models.request import ApprovalRequest
from approvals.states import CallbackFinding

_READ_SOON = """
INSERT INTO approvals_executionhistory AS h
       (execution_id, steps, is_whole, next_read_at, reads, trouble)
SELECT id, '[]', true, %(at)s, 0, '' FROM approvals_execution WHERE id = ANY (%(executions)s)
ON CONFLICT (execution_id) DO UPDATE
   SET next_read_at = least(h.next_read_at, excluded.next_read_at), reads = 0
"""


class ExecutionHistoryQuerySet(models.QuerySet["ExecutionHistory"]):
    def read_soon(self, *execution_ids: int, at: datetime) -> None:
        """Have the histories read at AT or sooner: something new must stand in them."""
        with connection.cursor() as cursor:
            cursor.execute(_READ_SOON, {"executions": list(execution_ids), "at": at})

    def due(self, now: datetime) -> Self:
        return self.filter(next_read_at__lte=now)


class ExecutionHistory(models.Model):
    """The steps of one execution as last read at AWS; callbacks/checking writes them.

    `steps` holds names, types, states, times and attempts, never inputs or results.
    `next_read_at` None: nobody asks. `is_whole` False: AWS had more pages than were read.
    """

    execution = models.OneToOneField(
        Execution, models.CASCADE, primary_key=True, related_name="history"
    )
    steps = models.JSONField(default=list)
    is_whole = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    next_read_at = models.DateTimeField(null=True, blank=True)
    reads = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=200, blank=True, default="")

    objects = ExecutionHistoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "execution histories"
        indexes = [
            models.Index(
                fields=["next_read_at"],
                condition=models.Q(next_read_at__isnull=False),
                name="histories_to_read",
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.steps)} steps"


class CallbackCheckQuerySet(models.QuerySet["CallbackCheck"]):
    def due(self, now: datetime) -> Self:
        return self.filter(next_attempt_at__lte=now, request__execution__isnull=False)


class CallbackCheck(models.Model):
    """What AWS says of a request's callback; made at receipt where the source verifies.

    lifecycle/checks writes what was found, callbacks/checking when to ask next. CLOSED with
    a `next_attempt_at`: AWS was heard to have closed it, and the history is asked who did.

    The timeouts are those the function really set, in seconds; None: AWS does not say.
    `next_attempt_at` None: it is settled, or there is nothing more to ask.
    """

    request = models.OneToOneField(
        ApprovalRequest, models.CASCADE, primary_key=True, related_name="callback_check"
    )
    finding = models.CharField(
        max_length=12, choices=CallbackFinding, default=CallbackFinding.PENDING
    )
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    heartbeat_timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    detail = models.CharField(max_length=200, blank=True, default="")

    objects = CallbackCheckQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(next_attempt_at__isnull=False),
                name="callbacks_to_check",
            ),
        ]

    def __str__(self) -> str:
        return self.get_finding_display()
