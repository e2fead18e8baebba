"""Amounts as people read them, without rounding and without guessing."""

from __future__ import annotations

import re
from decimal import Decimal

from approvals.locales import Locale, here

MINUS = "\u2212"
_SYMBOLS = {
    "AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "HKD": "HK$",
    "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱",
    "TWD": "NT$", "USD": "$", "VND": "₫",
}  # fmt: skip
_WITHOUT_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"})
_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
# ASCII digits alone: a look-alike digit in a string must not become part of a sum.
_PLAIN = re.compile(r"(-?)([0-9]{1,40})(?:\.([0-9]{1,40}))?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def format_money(amount: str | int | Decimal, currency: str) -> str | None:
    """`€4,597.00`, in German `4.597,00 €`: every digit kept, at least the minor unit's.

    AMOUNT is in major units. None where it is no plain decimal number (floats and
    exponents included) or CURRENCY no ISO 4217 code: then the caller shows what it got.
    """
    match = _PLAIN.fullmatch(str(amount))
    if match is None or not _CURRENCY.fullmatch(currency):
        return None
    sign, whole, fraction = match.groups(default="")
    locale = here()
    digits = _grouped(whole, locale) + _fraction(fraction, currency, locale)
    named = _SYMBOLS.get(currency)
    if locale.currency_behind:
        return f"{MINUS if sign else ''}{digits}\u00a0{named or currency}"
    before = named or f"{currency}\u00a0"
    return f"{MINUS if sign else ''}{before}{digits}"


def _grouped(whole: str, locale: Locale) -> str:
    stripped = whole.lstrip("0") or "0"
    return re.sub(r"(?<=[0-9])(?=(?:[0-9]{3})+$)", locale.group, stripped)


def _fraction(fraction: str, currency: str, locale: Locale) -> str:
    least = 0 if currency in _WITHOUT_MINOR_UNIT else 3 if currency in _THREE_DIGITS else 2
    padded = fraction.rstrip("0").ljust(least, "0") if fraction else "0" * least
    return f"{locale.decimal}{padded}" if padded else ""
