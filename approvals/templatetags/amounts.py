"""Amounts of money."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals.presentation.money import format_money

register = template.Library()


@register.simple_tag
def money(amount: str | int | Decimal | None, currency: str) -> SafeString | str:
    """`€4,597.00`; what is no plain decimal is shown as it is, beside its currency."""
    if amount is None:
        return ""
    shown = format_money(amount, currency)
    return format_html('<b class="money">{}</b>', shown or f"{amount} {currency}")
