"""Sample orders of several shapes, as events for the order workflow.

Money is text with two decimals: no float rounds it on the way to the reviewer.
`approval` holds what differs in how people are asked; all of it may be left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Event = dict[str, Any]

TROMSO = {"street": "Storgata 88", "city": "9008 Tromsø", "country": "NO"}
ROTTERDAM = {"street": "Witte de Withstraat 14", "city": "3012 Rotterdam", "country": "NL"}


def small() -> Event:
    """Two items, nothing odd, an hour to decide."""
    return _order(
        customer="Ingrid Solberg",
        lines=[
            _line("STV-LQ", "Liquid-fuel stove", 1, "149.00"),
            _line("FUEL-B1", "Fuel bottle, 1 litre", 2, "24.00"),
        ],
        approval={"timeout_seconds": 3600, "heartbeat_timeout_seconds": 300},
    )


def high_risk() -> Event:
    """Dear, far away and new: the reasons stand first on the page."""
    return _order(
        customer="Halvard Brekke",
        billing={"name": "J. Brekke", **ROTTERDAM},
        lines=[
            _line("TNT-4S-GR", "Fjell 4-season tent, moss", 4, "689.00"),
            _line("SLB-M10-R", "Polar -10 down bag, regular", 4, "389.00"),
        ],
        approval={
            "timeout_seconds": 7200,
            "heartbeat_timeout_seconds": 300,
            "risk": {
                "score": 78,
                "reasons": [
                    {"text": "Delivery address never used before", "points": 31},
                    {"text": "Account is 2 days old, first order", "points": 22},
                    {"text": "6.1 times the usual first order", "points": 15},
                    {"text": "Card from NL, ordered from an address in LT", "points": 10},
                ],
                "scored_by": "risk-score v3.2",
            },
        },
    )


def two_approvals() -> Event:
    """Above the limit of one person: two must agree."""
    return _order(
        customer="Nordlys Expeditions AS",
        lines=[_line("TNT-4S-GR", "Fjell 4-season tent, moss", 40, "689.00")],
        approval={
            "timeout_seconds": 86_400,
            "heartbeat_timeout_seconds": 600,
            "required_approvals": 2,
            "assignees": {"groups": ["order-desk", "finance"]},
            "risk": {"score": 44, "reasons": [{"text": "Over 25,000.00 EUR", "points": 44}]},
        },
    )


def two_teams() -> Event:
    """Goods on credit: the order desk and finance must both agree."""
    return _order(
        customer="Lofoten Rorbuer SA",
        lines=[_line("SLB-M10", "Polar -10 down bag, regular", 24, "389.00")],
        approval={
            "timeout_seconds": 43_200,
            "heartbeat_timeout_seconds": 600,
            "requirements": [{"group": "order-desk"}, {"group": "finance"}],
            "risk": {"score": 52, "reasons": [{"text": "To be paid in 60 days", "points": 52}]},
        },
    )


def short_heartbeat() -> Event:
    """Lambda gives up after 10 seconds of silence: Countersign's heartbeats keep it alive."""
    return _order(
        customer="Mara Lindqvist",
        lines=[_line("MAT-R4", "Sleeping mat", 1, "119.00")],
        approval={"timeout_seconds": 1800, "heartbeat_timeout_seconds": 10},
    )


def soon_due() -> Event:
    """Five minutes in all, due after one: red from the start, late after a minute, expired."""
    return _order(
        customer="Priya Nair",
        lines=[_line("AXE-60", "Ice axe, 60 cm", 2, "94.50")],
        approval={
            "timeout_seconds": 300,
            "heartbeat_timeout_seconds": 60,
            "due_in_seconds": 60,
        },
    )


def wide_unicode() -> Event:
    """Names and notes from far outside ASCII, right-to-left text and joined emoji."""
    return _order(
        customer="佐藤 花子 · Žofie Ďurišová · محمد علي",
        lines=[_line("GIFT-🎁", "お茶セット (緑茶) 👩‍👩‍👧", 3, "18.40")],
        approval={"timeout_seconds": 3600, "heartbeat_timeout_seconds": 300},
        note="Прошу позвонить до доставки. <b>Not bold</b> \u202eyltcerrid ton\u202c",
    )


SHAPES: Mapping[str, Callable[[], Event]] = {
    "small": small,
    "high-risk": high_risk,
    "two-approvals": two_approvals,
    "two-teams": two_teams,
    "short-heartbeat": short_heartbeat,
    "soon-due": soon_due,
    "wide-unicode": wide_unicode,
}


def _order(
    *,
    customer: str,
    lines: list[dict[str, Any]],
    approval: dict[str, Any],
    note: str = "",
    billing: dict[str, Any] | None = None,
) -> Event:
    goods = sum((Decimal(line["total"]) for line in lines), Decimal())
    return {
        "order_id": f"NO-{secrets.randbelow(90_000) + 10_000}",
        "customer": {"name": customer, "email": "customer@shop.example"},
        "currency": "EUR",
        "lines": lines,
        "totals": {"goods": f"{goods:.2f}", "shipping": "9.00", "total": f"{goods + 9:.2f}"},
        "addresses": {
            "shipping": {"name": customer, **TROMSO},
            "billing": {"name": customer, **TROMSO} if billing is None else billing,
        },
        **({"note": note} if note else {}),
        "approval": approval,
    }


def _line(sku: str, name: str, quantity: int, unit_price: str) -> dict[str, Any]:
    price = Decimal(unit_price)
    return {
        "sku": sku,
        "name": name,
        "quantity": quantity,
        "unit_price": f"{price:.2f}",
        "total": f"{price * quantity:.2f}",
    }
