"""Dials and bars: a share of something, drawn beside the same fact in words.

SVG with presentation attributes: no inline style, so a strict CSP lets them pass.
Both are hidden from screen readers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

Amount: TypeAlias = "timedelta | float | int | Decimal | None"

RED_BELOW = timedelta(minutes=15)
AMBER_BELOW = timedelta(minutes=60)
RED_SHARE = 0.2


@register.simple_tag
def dial(left: Amount, total: Amount, tone: str = "") -> SafeString | str:
    """The dial: which share of TOTAL is LEFT. Nothing where there is no deadline."""
    if left is None or not total:
        return ""
    return format_html(
        '<svg class="dial dial--{}" viewBox="0 0 20 20" aria-hidden="true" focusable="false">'
        '<circle class="dial-track" cx="10" cy="10" r="8"/><circle class="dial-arc" cx="10" '
        'cy="10" r="8" pathLength="100" stroke-dasharray="{} 100"/></svg>',
        tone or urgency(left, total),
        _percent(left, total),
    )


@register.simple_tag
def countdown(left: timedelta, span: timedelta, until: datetime) -> SafeString:
    """A dial that runs out: LEFT of SPAN until UNTIL; `static/js/clock.js` keeps it going."""
    return format_html(
        '<svg class="dial dial--calm" viewBox="0 0 20 20" aria-hidden="true" focusable="false" '
        'data-until="{}" data-span="{}"><circle class="dial-track" cx="10" cy="10" r="8"/>'
        '<circle class="dial-arc" cx="10" cy="10" r="8" pathLength="100" '
        'stroke-dasharray="{} 100"/></svg>',
        until.isoformat(),
        span.total_seconds(),
        _percent(left, span),
    )


@register.simple_tag
def bar(part: Amount, whole: Amount = 100, tone: str = "calm") -> SafeString:
    """PART of WHOLE as a bar; TONE is calm, ok, warn, risk or data1."""
    return format_html(
        '<svg class="bar bar--{}" viewBox="0 0 100 8" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><rect class="bar-track" width="100" height="8"/>'
        '<rect class="bar-fill" width="{}" height="8"/></svg>',
        tone,
        _percent(part, whole),
    )


@register.simple_tag
def urgency(left: Amount, total: Amount = None) -> str:
    """`risk` below 15 min or a fifth of the time, `warn` below an hour, else `calm`.

    A bare number is seconds.
    """
    if left is None:
        return "calm"
    time_left = left if isinstance(left, timedelta) else timedelta(seconds=float(left))
    short_share = bool(total) and _number(left) / _number(total) < RED_SHARE
    if time_left < RED_BELOW or short_share:
        return "risk"
    return "warn" if time_left < AMBER_BELOW else "calm"


def _percent(part: Amount, whole: Amount) -> int:
    share = _number(part) / _number(whole) if whole else 0.0
    return round(100 * min(max(share, 0.0), 1.0))


def _number(amount: Amount) -> float:
    if isinstance(amount, timedelta):
        return amount.total_seconds()
    return float(amount or 0)
