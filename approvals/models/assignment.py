"""Who is asked to decide a request."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

from approvals.models.request import ApprovalRequest
from approvals.models.user import User


class Assignment(models.Model):
    """Who may decide: one row per user or group, ordered for the queue's keyset.

    `open` and `queue_at` repeat the request's, so that a person's queue is one walk
    along one index.
    """

    # No index of their own: assigned_once, asked_user and asked_group start with these.
    request = models.ForeignKey(
        ApprovalRequest, models.CASCADE, related_name="assignments", db_index=False
    )
    user = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="assignments", db_index=False
    )
    group = models.ForeignKey(
        "auth.Group",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        db_index=False,
    )
    # Who asked them; None: the source, on receipt. Whom one asks oneself does not count.
    asked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    open = models.BooleanField(default=True)
    queue_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Exact(IsNull(F("user"), True), IsNull(F("group"), False)),
                name="assigned_to_a_user_or_a_group",
            ),
            models.UniqueConstraint(
                fields=["request", "user", "group"], nulls_distinct=False, name="assigned_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "queue_at", "request"],
                condition=Q(open=True, group=None),
                name="queue_of_user",
            ),
            models.Index(
                fields=["group", "queue_at", "request"],
                condition=Q(open=True, user=None),
                name="queue_of_group",
            ),
            # All that somebody was ever asked, youngest first (models.archive).
            models.Index(
                fields=["user", "-request"], condition=Q(user__isnull=False), name="asked_user"
            ),
            models.Index(
                fields=["group", "-request"], condition=Q(group__isnull=False), name="asked_group"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.group)
