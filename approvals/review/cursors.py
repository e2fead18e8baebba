"""Where the next page starts, as an opaque word in an address."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from approvals.models.listing import Place


def to_cursor(place: Place | None) -> str:
    """PLACE as a word for an address; "" for None."""
    if place is None:
        return ""
    text = f"{place.at.isoformat()}|{place.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> Place | None:
    """The place CURSOR stands for; None for "".

    Raises:
        ValueError: CURSOR is none of ours.
    """
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, number = text.partition("|")
        place = Place(datetime.fromisoformat(at), int(number))
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ValueError("This cursor is none of ours.") from error
    if place.at.tzinfo is None or not 0 < place.id < 2**63:
        raise ValueError("This cursor is none of ours.")
    return place
