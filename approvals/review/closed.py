"""Rows that were decided elsewhere while somebody looked at the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from approvals.models import ApprovalRequest, Decision, User
from approvals.models.listing import PAGE_SIZE
from approvals.models.sight import seen_by
from approvals.review.facts import ended

#: So long after it a closing is still read out: two looks.
READ_OUT = timedelta(seconds=20)

_COLUMNS = ("public_id", "title", "state", "closed_at", "on_timeout", "withdrawal",
            "closed_because", "delivery__state")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """A row that stays in its place, struck through, until the next page."""

    request: ApprovalRequest
    words: str
    is_fresh: bool


def closed_rows(user: User, ids: Sequence[int], now: datetime) -> list[ClosedRow]:
    """The requests of IDS that USER may see, as they ended; two statements."""
    decisions = Decision.objects.standing().select_related("reviewer").order_by("id")
    found = seen_by(user).select_related("delivery").only(*_COLUMNS)
    found = found.prefetch_related(Prefetch("decisions", decisions))
    return [
        ClosedRow(
            request=request,
            words=ended(request, list(request.decisions.all())),
            is_fresh=request.closed_at is not None and now - request.closed_at < READ_OUT,
        )
        for request in found.filter(pk__in=ids)
        if not request.is_pending
    ]


def to_word(requests: Iterable[ApprovalRequest]) -> str:
    """The rows of a page as a word for an address."""
    return ".".join(str(request.pk) for request in requests)


def from_word(word: str) -> list[int]:
    """The ids WORD stands for.

    Raises:
        ValueError: it is none of ours.
    """
    numbers = word.split(".") if word else []
    if len(numbers) > PAGE_SIZE or not all(n.isdecimal() and len(n) <= 18 for n in numbers):
        raise ValueError("These rows are none of ours.")
    return [int(number) for number in numbers]
