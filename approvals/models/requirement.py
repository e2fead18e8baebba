"""Which groups an approval must come from, beside how many are needed in all."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from approvals.models.kind import RequestKind
from approvals.models.request import ApprovalRequest


class Requirement(models.Model):
    """ "N of group G" must approve; several are joined by AND.

    Rows stand only where a group is named: `required_approvals` of the request says how
    many people must approve in all, and what no requirement takes may come from anybody
    who was asked. Each vote fills at most one place. Frozen on receipt; an operator may
    only move it to another group, with the assignment.
    """

    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, related_name="requirements", db_index=False
    )
    group = models.ForeignKey("auth.Group", models.PROTECT, related_name="+", db_index=False)
    approvals = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "group"], name="one_requirement_per_group"),
            models.CheckConstraint(condition=Q(approvals__gte=1), name="requires_an_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.approvals} of {self.group}"


class KindRequirement(models.Model):
    """What a kind's requests require, unless a request says itself what it requires."""

    kind = models.ForeignKey(RequestKind, models.CASCADE, related_name="requirements")
    group = models.ForeignKey("auth.Group", models.PROTECT, related_name="+")
    approvals = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "group"], name="one_requirement_per_kind"),
            models.CheckConstraint(condition=Q(approvals__gte=1), name="kind_requires_an_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.approvals} of {self.group}"
