"""Presentations of the kinds that ship: data, in the shape `present` reads.

A sender may name an amount in more than one way, so several spellings are listed;
pointers that meet nothing do nothing. Amounts are in major units ("4597.00"), and
strings keep their digits best.
"""

from __future__ import annotations

from typing import Any, Final

_OWN = "money:@/currency"

ORDER: Final[dict[str, Any]] = {
    "labels": {
        "/order_id": "Order",
        "/lines": "Lines",
        "/lines/*/sku": "SKU",
        "/lines/*/name": "Item",
        "/lines/*/description": "Item",
        "/lines/*/quantity": "Qty",
        "/lines/*/qty": "Qty",
        "/lines/*/price": "Each",
        "/lines/*/unit_price": "Each",
        "/lines/*/total": "Total",
        "/totals/tax": "VAT",
        "/totals/vat": "VAT",
        "/totals/total": "Total",
        "/shipping_address": "Deliver to",
        "/addresses": "",
        "/addresses/shipping": "Deliver to",
        "/billing_address": "Charge",
        "/addresses/billing": "Charge",
    },
    "sums": {"/lines": "/totals"},
    "order": [
        "/order_id",
        "/customer",
        "/lines",
        "/lines/*/name",
        "/lines/*/description",
        "/lines/*/sku",
        "/lines/*/quantity",
        "/lines/*/qty",
        "/lines/*/price",
        "/lines/*/unit_price",
        "/lines/*/total",
        "/totals",
        "/totals/goods",
        "/totals/subtotal",
        "/totals/discount",
        "/totals/shipping",
        "/totals/tax",
        "/totals/vat",
        "/totals/total",
        "/shipping_address",
        "/billing_address",
        "/addresses",
        "/payment",
        "/*/name",
        "/*/company",
        "/*/street",
        "/*/street2",
        "/*/postcode",
        "/*/postal_code",
        "/*/city",
        "/*/region",
        "/*/country",
        "/addresses/*/name",
        "/addresses/*/company",
        "/addresses/*/street",
        "/addresses/*/street2",
        "/addresses/*/postcode",
        "/addresses/*/postal_code",
        "/addresses/*/city",
        "/addresses/*/region",
        "/addresses/*/country",
    ],
    "formats": {
        "/total": _OWN,
        "/amount": _OWN,
        "/lines/*/price": _OWN,
        "/lines/*/unit_price": _OWN,
        "/lines/*/total": _OWN,
        "/lines/*/sku": "code",
        "/totals/*": _OWN,
        "/order_id": "code",
        "/note": "quote",
        "/customer": "address",
        "/shipping_address": "address",
        "/billing_address": "address",
        "/addresses/*": "address",
    },
    "highlights": ["/totals/total", "/total", "/amount", "/order_id", "/customer/name"],
    "hide": [],
}

AGENT_ACTION: Final[dict[str, Any]] = {
    "labels": {
        "/reason": "Why the agent asks",
        "/actions": "What it wants to do",
        "/actions/*/arguments": "",
    },
    "order": ["/reason", "/actions", "/actions/*/arguments"],
    "formats": {
        "/reason": "quote",
        "/actions/*/tags": "tags",
        "/amount": _OWN,
        "/actions/*/arguments/amount": "money:@./currency",
    },
    "titles": {"/actions/*": "tool"},
    "highlights": ["/amount"],
    "hide": [],
}

DOCUMENT: Final[dict[str, Any]] = {
    "labels": {
        "/document_id": "Document",
        "/text": "What it says",
        "/changes": "Changes",
        "/file": "File",
    },
    "order": [
        "/document_id",
        "/revision",
        "/replaces",
        "/author",
        "/audience",
        "/in_force_from",
        "/tags",
        "/text",
        "/changes",
        "/changes/*/clause",
        "/changes/*/now",
        "/changes/*/then",
        "/file",
    ],
    "formats": {"/document_id": "code", "/text": "quote"},
    "highlights": ["/document_id", "/revision", "/in_force_from"],
    "hide": [],
}

KINDS: Final[dict[str, dict[str, Any]]] = {
    "order": ORDER,
    "document": DOCUMENT,
    "agent-action": AGENT_ACTION,
}
