"""Types of request: what they need and how they read. Data, never code."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models

from approvals.models.user import User
from approvals.states import BulkRule, OnReject, OnTimeout

#: Seconds a decision is held where nobody says otherwise, and at most (ux: no longer than
#: somebody waits before a page).
USUAL_UNDO, LONGEST_UNDO = 10, 30


class RequestKind(models.Model):
    """A type of request ("order", "agent-action") with its defaults.

    A request may say otherwise; what it ends up with is frozen into it on receipt.
    """

    slug = models.SlugField(max_length=63, unique=True)
    label = models.CharField(max_length=80)
    presentation = models.JSONField(default=dict, blank=True)
    required_approvals = models.PositiveSmallIntegerField(default=1)
    on_reject = models.CharField(max_length=8, choices=OnReject, default=OnReject.FAILURE)
    on_timeout = models.CharField(max_length=8, choices=OnTimeout, default=OnTimeout.FAIL)
    reject_reasons = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        help_text="Reasons offered when somebody rejects",
    )
    # Where the sender gives none; seconds. None: that clock does not run.
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    due_in_seconds = models.PositiveIntegerField(null=True, blank=True)
    # How long a decision made in the browser can be taken back before it is sent; 0: not at
    # all. Read at the click, so that a change counts for what is open, too.
    undo_seconds = models.PositiveSmallIntegerField(
        default=USUAL_UNDO, db_default=USUAL_UNDO, validators=[MaxValueValidator(LONGEST_UNDO)]
    )
    # What may be decided together with others; read at the click as well.
    bulk = models.CharField(
        max_length=8, choices=BulkRule, default=BulkRule.LOW_RISK, db_default=BulkRule.LOW_RISK
    )
    default_users = models.ManyToManyField(User, blank=True, related_name="+")
    default_groups = models.ManyToManyField(Group, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(required_approvals__gte=1), name="kind_needs_an_approval"
            ),
        ]

    def __str__(self) -> str:
        return self.label
