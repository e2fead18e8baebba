"""The one amount an approve button names, and what many of them come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

from approvals.presentation.jsontext import Json, parse
from approvals.presentation.money import format_money
from approvals.presentation.pointer import resolve
from approvals.presentation.settings import Presentation
from approvals.presentation.values import currency_of

#: An amount has up to 40 digits on either side of its point (money.py); sums have a few more.
_DIGITS = 120


def headline_amount(
    payload: str | Mapping[str, Any], kind_presentation: Presentation | Mapping[str, Any] | None
) -> str | None:
    """The first highlighted amount, such as `€4,597.00`; None where there is none.

    PAYLOAD is the original text where digits matter; an already parsed payload will
    do for a list. Only a highlight formatted as money counts, and only a whole one. A
    Presentation read before serves many payloads.
    """
    found = headline_money(payload, kind_presentation)
    return found.text if found else None


@dataclass(frozen=True, slots=True)
class Money:
    """An AMOUNT of a CURRENCY (ISO 4217), to the digit, and the TEXT people read."""

    amount: Decimal
    currency: str
    text: str


def headline_money(
    payload: str | Mapping[str, Any], kind_presentation: Presentation | Mapping[str, Any] | None
) -> Money | None:
    """As `headline_amount`, to be added up."""
    try:
        document: Json = parse(payload) if isinstance(payload, str) else dict(payload)
    except ValueError:
        return None
    presentation = kind_presentation
    if not isinstance(presentation, Presentation):
        presentation = Presentation(presentation)
    for path in presentation.highlights:
        style, value = presentation.format(path), resolve(document, path)
        if not style.startswith("money:") or isinstance(value, dict | list | bool):
            continue
        currency = currency_of(style, document, resolve(document, path[:-1]))
        text = format_money(str(value), currency)
        if text is not None:
            return Money(Decimal(str(value)), currency, text)
    return None


def sums(amounts: Iterable[Money]) -> list[str]:
    """AMOUNTS together, one sum for each currency as people read it; no digit is rounded."""
    totals: dict[str, Decimal] = {}
    with localcontext(Context(prec=_DIGITS, traps=[Inexact])):
        for each in amounts:
            totals[each.currency] = totals.get(each.currency, Decimal(0)) + each.amount
    texts = {currency: f"{total:f}" for currency, total in totals.items()}
    return [
        format_money(text, currency) or f"{text} {currency}" for currency, text in texts.items()
    ]
