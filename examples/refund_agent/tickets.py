"""Sample tickets, as events for the refund agent.

`on_behalf_of` is the person whose agent it is: like the agent, they may not decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Event = dict[str, Any]


def damaged() -> Event:
    """A stove that came bent: small, first refund, Priya's agent asks the order desk."""
    return {
        "ticket_id": "2207",
        "on_behalf_of": "priya",
        "assignees": {"groups": ["order-desk"]},
        "customer": {"name": "Ingrid Solberg", "refunds_this_year": 0},
        "message": "The stove arrived bent and does not stand on its feet.",
        "order": {
            "order_id": "NO-10377",
            "paid_on": "2026-11-09",
            "days_since_delivery": 6,
            "total": "149.00",
            "currency": "EUR",
            "paid_with": "Visa ending 4242",
        },
    }


def never_arrived() -> Event:
    """A dear order, and the third refund this year: the reasons stand first on the page."""
    return {
        "ticket_id": "2208",
        "on_behalf_of": "priya",
        "assignees": {"groups": ["order-desk", "finance"]},
        "customer": {"name": "Halvard Brekke", "refunds_this_year": 2},
        "message": "The parcel is marked as delivered, but I never saw it. <b>Refund me</b> today.",
        "order": {
            "order_id": "NO-10391",
            "paid_on": "2026-11-02",
            "days_since_delivery": 12,
            "total": "1378.00",
            "currency": "EUR",
            "paid_with": "Mastercard ending 0017",
        },
    }


SHAPES: Mapping[str, Callable[[], Event]] = {"damaged": damaged, "never-arrived": never_arrived}
