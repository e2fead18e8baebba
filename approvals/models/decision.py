"""The word, with who, when, why, through which door, and what they saw."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from approvals.canonical import Json, with_tokens
from approvals.models.request import ApprovalRequest
from approvals.models.user import User
from approvals.states import Cause, Channel, RequestState, Verdict


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """Those that count: not taken back."""
        return self.filter(retracted_at=None)


class Decision(models.Model):
    """One verdict on one request. The database refuses to change or delete it.

    A clock or a policy decides without a reviewer, so that every outcome has a
    decision to point at. `payload_sha256` is what the reviewer saw; where they changed it
    before approving, `final_sha256` is what they approved. Until `undo_until` it can be
    taken back: then `retracted_at` is set, once, and it counts for nothing; whoever made it
    may decide again.
    """

    public_id = models.UUIDField(unique=True, editable=False)
    # No index of their own: the constraint and decided_by start with these columns.
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, related_name="decisions", db_index=False
    )
    verdict = models.CharField(max_length=12, choices=Verdict)
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.PERSON)
    channel = models.CharField(max_length=8, choices=Channel)
    reviewer = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="decisions", db_index=False
    )
    comment = models.TextField(blank=True, default="")
    values = models.JSONField(default=dict)
    payload_sha256 = models.CharField(max_length=64)
    # {pointer: value} as canonical JSON, number tokens kept; "" where nothing was changed.
    edits_text = models.TextField(blank=True, default="", db_default="")
    final_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    decided_at = models.DateTimeField()
    undo_until = models.DateTimeField(null=True, blank=True)
    retracted_at = models.DateTimeField(null=True, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            # One that stands. Not a partial index, as decisions are looked up by it.
            models.UniqueConstraint(
                fields=["request", "reviewer", "retracted_at"],
                nulls_distinct=False,
                name="one_decision_per_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=[Cause.PERSON, Cause.OPERATOR], reviewer__isnull=False)
                | Q(cause__in=[Cause.CLOCK, Cause.POLICY, Cause.SOURCE], reviewer=None),
                name="a_person_decides_by_name",
            ),
        ]
        indexes = [
            models.Index(fields=["reviewer", "-decided_at", "-id"], name="decided_by"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}, {self.who}"

    @property
    def word(self) -> str:
        """`Approved` or `Rejected`."""
        return str(RequestState(self.verdict).label)

    @property
    def edits(self) -> dict[str, Json]:
        """What was changed before approving, by JSON pointer; numbers as tokens."""
        edits = with_tokens(self.edits_text) if self.edits_text else {}
        assert isinstance(edits, dict)
        return edits

    @property
    def by(self) -> str:
        """Who decided, as programs are told: a username, or what decided instead."""
        return self.reviewer.username if self.reviewer else self.cause

    @property
    def who(self) -> str:
        return self.reviewer.display_name if self.reviewer else self.get_cause_display()
