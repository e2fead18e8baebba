"""A message owed to a person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from approvals.models.comment import Comment
from approvals.models.request import ApprovalRequest
from approvals.models.user import User
from approvals.states import NoticeKind, NoticeState


class Notice(models.Model):
    """One mail to one person about one request, at most once; only notices/outbox moves it.

    COMMENT: which of its comments it is about; None where it is about the request itself.
    """

    request = models.ForeignKey(
        ApprovalRequest, models.CASCADE, related_name="notices", db_index=False
    )
    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=8, choices=NoticeKind)
    # Comments are never deleted: no notice is ever looked for by its comment.
    comment = models.ForeignKey(
        Comment, models.CASCADE, null=True, blank=True, related_name="+",
        db_index=False, db_constraint=False,
    )  # fmt: skip
    state = models.CharField(max_length=8, choices=NoticeState, default=NoticeState.PENDING)
    owed_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "user", "kind", "comment"],
                name="one_notice_per_person_and_kind",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=NoticeState.PENDING),
                name="notice_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"
