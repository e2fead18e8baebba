"""Who has opened the page of a request."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models

from approvals.models.request import ApprovalRequest
from approvals.models.user import User


class Opening(models.Model):
    """A person first opened the page of a request. Only review.openings writes it.

    What opened by itself after a decision does not count.
    What people decide about never changes, so once is enough.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="+", db_index=False)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "request"], name="opened_once"),
        ]

    def __str__(self) -> str:
        return f"Opened at {self.opened_at:%H:%M:%S}"


def opened_by(user: User, requests: Collection[int]) -> set[int]:
    """Those of REQUESTS (ids) that USER has opened; one statement."""
    openings = Opening.objects.filter(user=user, request__in=requests)
    return set(openings.values_list("request_id", flat=True))
