"""Amounts keep their digits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from approvals.presentation.money import format_money


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("4597.00", "EUR", "€4,597.00"),
        ("4597", "EUR", "€4,597.00"),
        ("4597.5", "USD", "$4,597.50"),
        ("-150.00", "EUR", "−€150.00"),
        ("0.125", "EUR", "€0.125"),
        ("1500", "JPY", "¥1,500"),
        ("1.5", "KWD", "KWD\u00a01.500"),
        ("12", "CHF", "CHF\u00a012.00"),
        ("12345678901234567890.10", "EUR", "€12,345,678,901,234,567,890.10"),
        ("000123", "EUR", "€123.00"),
    ],
)
def test_an_amount_reads_as_money(amount: str, currency: str, shown: str) -> None:
    assert format_money(amount, currency) == shown


def test_a_decimal_and_an_int_are_amounts_too() -> None:
    assert format_money(Decimal("12.30"), "EUR") == "€12.30"
    assert format_money(12, "EUR") == "€12.00"


@pytest.mark.parametrize("amount", ["1e3", "NaN", "", "1,000", "12.", ".5", "１２", "٣", "12 EUR"])
def test_what_is_no_plain_decimal_is_no_amount(amount: str) -> None:
    assert format_money(amount, "EUR") is None


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "E\u202eR"])
def test_without_a_currency_code_there_is_no_money(currency: str) -> None:
    assert format_money("1", currency) is None
