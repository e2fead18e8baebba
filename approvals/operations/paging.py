"""Long lists by the last row seen, never by OFFSET: the same cost on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from approvals.models.listing import Place

PAGE_SIZE = 50
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of one page, and the word by which the next is asked for; "" on the last."""

    rows: Sequence[Row]
    next: str = ""


def to_word(place: Place) -> str:
    """PLACE as it stands in an address: `2026-11-20T12:00:00.000001+00:00~17`."""
    return f"{place.at.isoformat()}~{place.id}"


def from_word(word: str) -> Place | None:
    """The place WORD stands for; None for "".

    Raises:
        ValueError: WORD is none of ours.
    """
    if not word:
        return None
    at, _, number = word.partition("~")
    place = Place(datetime.fromisoformat(at), int(number))
    if place.at.tzinfo is None or not 0 < place.id < 2**63:
        raise ValueError("This is no place in a list of ours.")
    return place
