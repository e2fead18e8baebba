"""A role held at one source only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from approvals.models.source import CallbackSource
from approvals.models.user import User


class SourceRole(models.Model):
    """What one person, or every member of one group, may do at one source.

    Admins are not made here: whoever changes a source's role or endpoint speaks to AWS
    with the portal's own rights, so that is a right over all of it.
    """

    class Right(models.TextChoices):
        REVIEW = "review", gettext_lazy("Reviewer: may decide what they are asked")
        OPERATE = (
            "operate",
            gettext_lazy("Operator: sees all, redrives, reassigns, withdraws, forces"),
        )
        AUDIT = "audit", gettext_lazy("Auditor: sees all")

    source = models.ForeignKey(CallbackSource, models.CASCADE, related_name="roles", db_index=False)
    may = models.CharField(max_length=8, choices=Right)
    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="source_roles"
    )
    group = models.ForeignKey(
        "auth.Group", models.CASCADE, null=True, blank=True, related_name="source_roles"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None) ^ Q(group=None), name="role_of_a_user_or_a_group"
            ),
            models.UniqueConstraint(
                fields=["source", "may", "user", "group"],
                nulls_distinct=False,
                name="role_held_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_may_display()}"
