"""A list somebody comes back to, under a name of their own."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.db import models
from django.db.models import prefetch_related_objects

from approvals.models.filter import Filter
from approvals.models.user import User
from approvals.models.words import LONGEST_SEARCH

#: Each is counted on every page its owner opens.
MOST_SAVED_VIEWS = 6


class SavedView(models.Model):
    """A view of the queue, narrowed by a filter. Only review.saved writes it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_views", db_index=False)
    name = models.CharField(max_length=40)
    view = models.CharField(max_length=20)
    kind = models.CharField(max_length=100, blank=True, default="")
    source = models.CharField(max_length=100, blank=True, default="")
    risk = models.CharField(max_length=10, blank=True, default="")
    due = models.CharField(max_length=10, blank=True, default="")
    q = models.CharField(max_length=LONGEST_SEARCH, blank=True, default="", db_default="")
    sort = models.CharField(max_length=10, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="one_saved_view_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def filter(self) -> Filter:
        return Filter(**{f.name: getattr(self, f.name) for f in fields(Filter)})

    @property
    def words(self) -> dict[str, str]:
        """The words of its address."""
        return {"view": self.view, **self.filter.words}


def saved_by(user: User) -> list[SavedView]:
    """What USER saved, by name; read once for each page."""
    owner: Any = user  # whose other side of the relation the type checker does not see
    prefetch_related_objects([owner], "saved_views")
    return sorted(owner.saved_views.all(), key=lambda view: view.name.casefold())
