"""What a request is found by: its words, apart from it, written after it was received."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from approvals.models.request import ApprovalRequest

#: One request in so many is in the samples, which tell how common a word is.
SAMPLED = 256


class SearchText(models.Model):
    """The words of one request (models.words). Only models.indexing writes it.

    `open` is as the sweep last saw it: behind the truth, never the truth itself.
    """

    # No constraint: it would lock and rewrite the request's row for each of ours.
    request = models.OneToOneField(
        ApprovalRequest, models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    open = models.BooleanField()
    sampled = models.BooleanField()
    words = SearchVectorField()

    class Meta:
        # Written in batches by a sweep: a list of what is not sorted in yet would be paid for
        # by every search instead.
        indexes = [
            GinIndex(fields=["words"], condition=condition, name=f"search_{name}", fastupdate=False)
            for name, condition in {
                "open": Q(open=True),
                "closed": Q(open=False),
                "open_sample": Q(open=True, sampled=True),
                "closed_sample": Q(open=False, sampled=True),
            }.items()
        ]

    def __str__(self) -> str:
        return f"words of {self.request_id}"
