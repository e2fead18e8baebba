"""Who may, and what is still needed. One gate for every way in; it fails closed.

What is required was frozen into the request when it was opened. Who is eligible is
asked at the moment of the click, of the database, never of a copied list.
"""

from __future__ import annotations

from approvals.policy.needed import Place, Tally, distinct, fill, places_of, tally, with_anybody
from approvals.policy.who import (
    Wanting,
    check_may_comment,
    check_may_decide,
    check_may_operate,
    check_may_steer,
    check_standing,
    may_comment,
    may_decide,
)

__all__ = [
    "Place",
    "Tally",
    "Wanting",
    "check_may_comment",
    "check_may_decide",
    "check_may_operate",
    "check_may_steer",
    "check_standing",
    "distinct",
    "fill",
    "may_comment",
    "may_decide",
    "places_of",
    "tally",
    "with_anybody",
]
