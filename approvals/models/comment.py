"""What people say about a request, what they ask its source, and what it answers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from approvals.models.request import ApprovalRequest
from approvals.models.source import CallbackSource
from approvals.models.user import User
from approvals.states import CommentKind, QuestionState


class Comment(models.Model):
    """One entry of a request's thread. The database refuses to change or delete it.

    A note and a question have an author; an answer has none, but the question it answers
    and, in ANSWERED_BY, who the source says gave it. MENTIONED: usernames as they were.
    """

    public_id = models.UUIDField(unique=True, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, related_name="comments", db_index=False
    )
    kind = models.CharField(max_length=8, choices=CommentKind)
    author = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    text = models.TextField()
    at = models.DateTimeField()
    mentioned = ArrayField(models.CharField(max_length=150), default=list, blank=True)
    answers = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="answer"
    )
    answered_by = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=CommentKind.ANSWER, author=None, answers__isnull=False)
                | Q(
                    kind__in=[CommentKind.NOTE, CommentKind.QUESTION],
                    author__isnull=False,
                    answers=None,
                ),
                name="people_comment_and_sources_answer",
            ),
        ]
        indexes = [models.Index(fields=["request", "id"], name="comments_of_request")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%H:%M:%S}"


class QuestionDelivery(models.Model):
    """A question owed to a source that can be asked; only notices/questions moves it."""

    question = models.OneToOneField(
        Comment, models.PROTECT, primary_key=True, related_name="delivery"
    )
    # Of the request's source, so that a source that hangs is found without a join.
    source = models.ForeignKey(CallbackSource, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=QuestionState, default=QuestionState.PENDING)
    owed_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "question deliveries"
        indexes = [
            models.Index(
                fields=["source", "next_attempt_at"],
                condition=Q(state=QuestionState.PENDING),
                name="questions_due",
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()
