"""What senders put before people: one of each kind, as full as it may be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from approvals.canonical import sha256_hex
from approvals.policy import Wanting
from examples.document_approval.documents import policy
from examples.order_workflow.orders import high_risk

Paper = dict[str, Any]


def order(number: str = "NO-10428", total: str = "4597.00") -> Paper:
    """A dear order of a stranger: risk, checks, a link, what follows."""
    event = high_risk()
    asked = event.pop("approval")
    event["order_id"] = number
    event["totals"] = {
        "goods": "4658.00",
        "discount": "-150.00",
        "shipping": "89.00",
        "total": total,
    }
    return {
        "kind": "order",
        "title": f"Release order {number}",
        "summary": f"Halvard Brekke wants **8 items** for **€{total}**, sent express to Tromsø.",
        "payload": event,
        "risk": asked["risk"],
        "checks": [
            {"text": "3-D Secure passed", "passed": True},
            {"text": "Phone number verified", "passed": False},
        ],
        "links": [
            {"label": f"{number} in the shop", "url": "https://shop.example/orders/1"},
            {"label": "The customer's other orders", "url": "https://shop.example/customers/1"},
        ],
        "if_approved": f"€{total} is charged to the Visa; Bergen packs 8 items tonight.",
        "if_rejected": "The card hold is released and the customer is told.",
        "if_nobody": "The callback times out and the order is cancelled, as if rejected.",
        "timeout_seconds": 720,
        "due_in_seconds": 600,
        "heartbeat_timeout_seconds": 300,
        "wanting": Wanting(requested_by="order-fulfilment"),
    }


def agent_action() -> Paper:
    """A tool call of an agent: steps, effects, in whose name."""
    refund = {
        "tool": "refund_payment",
        "arguments": {"order_id": "NO-10377", "amount": "149.00", "currency": "EUR"},
        "tags": ["money out", "cannot be undone"],
    }
    mail = {"tool": "email_send", "arguments": {"to": "ingrid@shop.example", "body": "Dear…"}}
    return {
        "kind": "agent-action",
        "title": "Refund 149.00 EUR to Ingrid Solberg and write to her",
        "summary": "The agent answers ticket 2207.",
        "payload": {
            "ticket_id": "2207",
            "amount": "149.00",
            "currency": "EUR",
            "reason": "Ingrid writes: “The stove arrived bent.” It arrived 6 days ago.",
            "actions": [refund, mail],
        },
        "risk": {"score": 45, "reasons": [{"text": "An agent pays out money", "points": 45}]},
        "effects": [{"label": "Visa ending 4242", "before": "0.00", "after": "+149.00 EUR"}],
        "wanting": Wanting(agent="refund-agent", on_behalf_of="priya"),
        "timeout_seconds": 2_400,
    }


def document() -> Paper:
    """A policy whose changes are a table."""
    paper = policy()["document"]
    return {
        "kind": "document",
        "title": f"{paper['title']}, revision {paper['revision']}",
        "payload": paper,
        "summary": paper["abstract"],
        "risk": {"score": 12},
        "timeout_seconds": 86_400,
        "heartbeat_timeout_seconds": 7_200,
    }


def generic() -> Paper:
    """Whatever JSON holds: deep, wide, long, foreign, empty."""
    return {
        "title": "A request of no kind whose title says a great deal more than a title should, "
        "and in the end " + "AWordThatNobodyBreaks" * 4,
        "payload": {
            "none": None,
            "yes": True,
            "ratio": 0.25,
            "when": "2026-11-20T14:18:06+01:00",
            "long": "lorem ipsum " * 60,
            "unbroken": "x" * 200,
            "names": ["佐藤 花子", "محمد علي", "\u202eyltcerrid ton"],
            "deep": {"er": {"and": {"deeper": {"still": [1, [2, [3]]]}}}},
            "rows": [
                {
                    "a": n,
                    "b": "cell " * 8,
                    "c": n * 1.5,
                    "d": True,
                    "e": "2026-11-20",
                    "f": "x" * 30,
                }
                for n in range(60)
            ],
            "nothing": {},
        },
    }


def with_a_form() -> Paper:
    """The function asks for values with the answer."""
    properties = {
        "delivery": {"type": "string", "title": "Delivery", "enum": ["express", "post", "none"]},
        "note": {"type": "string", "title": "Note to the customer", "maxLength": 300},
        "discount": {"type": "number", "title": "Discount in percent", "minimum": 0, "maximum": 20},
        "call": {"type": "boolean", "title": "Call the customer first"},
    }
    return {
        "title": "Release order NO-10431",
        "timeout_seconds": 7_500,
        "risk": {"score": 44, "reasons": [{"text": "Card and address differ", "points": 44}]},
        "response_schema": {
            "type": "object",
            "properties": properties,
            "required": ["delivery", "discount"],
        },
    }


def editable() -> Paper:
    """An agent's draft that a reviewer may change before approving it."""
    draft = "Hi Ingrid,\n\nThank you for sending the tent back. We have paid the full 312.00."
    payload = (
        '{"actions":[{"arguments":{"amount":"312.00","currency":"EUR","payment":"pay_7Q2mX"},'
        '"tags":["cannot be undone","moves money"],"tool":"payments.refund"},{"arguments":{"body":'
        f'{json.dumps(draft)},"to":"ingrid@mail.example"}},"tags":["leaves the company"],'
        '"tool":"email.send"}],"amount":"312.00","currency":"EUR","items":12345678901234567890,'
        '"pay_on":"2026-11-30","rate":0.10,"reason":"The return arrived on day 34.","restock":true}'
    )
    return {
        "kind": "agent-action",
        "title": "Refund and email Ingrid Solberg",
        "payload": json.loads(payload),
        "payload_text": payload,
        "payload_sha256": sha256_hex(payload),
        "editable": [
            "/actions/0/arguments/amount", "/actions/1/arguments/body", "/items", "/pay_on",
            "/rate", "/restock",
        ],
        "risk": {"score": 45, "reasons": [{"text": "An agent pays out money", "points": 45}]},
        "effects": [{"label": "Paid by customer", "before": "€312.00", "after": "€0.00"}],
        "wanting": Wanting(agent="refund-agent", on_behalf_of="priya"),
        "timeout_seconds": 2_400,
    }  # fmt: skip


def steps(now: datetime) -> list[dict[str, Any]]:
    """What an execution's history tells of an order: seventeen steps, one of them twice tried."""
    names = [f"reserve-line-{number}" for number in range(1, 11)]
    told = [
        ("validate-order", "Step", "SUCCEEDED", 0.4, 1),
        *((name, "Step", "SUCCEEDED", 1.2, 1) for name in names),
        ("score-risk", "Invoke", "SUCCEEDED", 2.0, 3),
        ("", "Wait", "SUCCEEDED", 3_600.0, 1),
        ("notify-warehouse", "Step", "FAILED", 12.0, 5),
        ("ask-the-carrier-with-a-name-as-long-as-names-of-steps-may-become-in-practice", "Step",
         "RETRYING", 0.0, 2),
        ("ask", "Step", "SUCCEEDED", 0.3, 1),
        ("await-release", "Callback", "STARTED", 0.0, 1),
    ]  # fmt: skip
    began = now - timedelta(minutes=40)
    return [
        {
            "id": f"op-{place}", "name": name, "type": kind, "status": status,
            "started_at": (began + timedelta(minutes=2 * place)).isoformat(),
            "ended_at": (began + timedelta(minutes=2 * place, seconds=taken)).isoformat()
            if status in {"SUCCEEDED", "FAILED"}
            else None,
            "attempts": attempts,
        }
        for place, (name, kind, status, taken, attempts) in enumerate(told)
    ]  # fmt: skip
