"""Times as people read them: near ones relative, the whole moment on hover and in print.

`static/js/clock.js` keeps the words current and must say them in the same way.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from approvals.locales import here

register = template.Library()

NEAR = timedelta(days=1)
THIS_WEEK = timedelta(days=6)


@register.simple_tag
def when(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """A moment: `4 s ago`, `in 12 min`, `Mon 09:00`, `18 Nov 2025`; "" for None."""
    if moment is None:
        return ""
    return _time(moment, spoken(moment, now or timezone.now()), "when", "data-when")


@register.simple_tag
def left(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """The time until MOMENT: `8 min 05 s`, `2 h 05 min`, `Mon 09:00`; `5 min late` once past."""
    if moment is None:
        return ""
    return _time(moment, remaining(moment, now or timezone.now()), "left", "data-left")


@register.simple_tag
def held_left(until: datetime, now: datetime) -> SafeString:
    """The time until UNTIL: `8 s`, and `0 s` once past, as somebody waits for what follows."""
    words = span(max(until - now, timedelta(0)))
    return format_html(
        '<time class="left" datetime="{}" title="{}" data-left="held">{}</time>',
        until.isoformat(),
        whole(until),
        words,
    )


@register.simple_tag
def clock(moment: datetime | None) -> SafeString | str:
    """The moment itself, with its zone: `14:30:11 CET`, with the day where it is not today."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    today = local.date() == timezone.localtime(timezone.now()).date()
    day = "" if today else f"{here().weekday_and_date(local)}, "
    return _time(moment, f"{day}{local:%H:%M:%S} {local:%Z}", "clock", "")


@register.simple_tag
def lasted(length: timedelta | float | None) -> str:
    """A length of time: `0.3 s`, `18 s`, `58 min`, `1 h 05 min`, `3 d 4 h`."""
    if length is None:
        return ""
    exact = length if isinstance(length, timedelta) else timedelta(seconds=length)
    seconds = exact.total_seconds()
    short = 0 <= seconds < 10 and seconds % 1
    return here().number(f"{seconds:.1f} s") if short else span(exact)


@register.filter
def in_full(moment: datetime | None) -> str:
    """`Friday 20 November 2026, 14:05:00 CET`, for mails, which nobody hovers over."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return f"{here().weekday_and_long_date(local)}, {local:%H:%M:%S} {local:%Z}"


@register.filter
def until(moment: datetime | None, now: datetime | None) -> timedelta | None:
    """How long from NOW to MOMENT; negative once past, None without a deadline."""
    return None if moment is None or now is None else moment - now


def spoken(moment: datetime, now: datetime) -> str:
    apart = moment - now
    if abs(apart) >= NEAR:
        return calendar(moment, now)
    if abs(apart) < timedelta(seconds=1):
        return _("now")
    if apart > timedelta(0):
        return _("in %(span)s") % {"span": span(apart)}
    return _("%(span)s ago") % {"span": span(-apart)}


def remaining(moment: datetime, now: datetime) -> str:
    apart = moment - now
    if apart < timedelta(0):
        return _("%(span)s late") % {"span": span(-apart)}
    if apart >= NEAR:
        return calendar(moment, now)
    seconds = int(apart.total_seconds())
    return f"{span(apart)} {seconds % 60:02d} s" if 60 <= seconds < 600 else span(apart)


def span(length: timedelta) -> str:
    """`18 s`, `12 min`, `1 h 05 min`, `3 d 4 h`; parts of a unit are dropped."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def calendar(moment: datetime, now: datetime) -> str:
    local, today = timezone.localtime(moment), timezone.localtime(now)
    if timedelta(0) <= moment - now < THIS_WEEK:
        return here().weekday_and_time(local)
    ways = here()
    day = ways.short_date(local) if local.year == today.year else ways.short_date_with_year(local)
    return f"{day}, {local:%H:%M}"


def whole(moment: datetime) -> str:
    """`Fri 20 Nov 2026, 14:18:06 CET (UTC+1)`."""
    local = timezone.localtime(moment)
    return f"{here().full_date(local)}, {local:%H:%M:%S} {_zone(f'{local:%Z}', f'{local:%z}')}"


@lru_cache(maxsize=64)
def _zone(name: str, offset: str) -> str:
    """`UTC`, or `CET (UTC+1)`: summer and winter of one zone, over and over."""
    hours = f"{offset[0].replace('-', chr(0x2212))}{int(offset[1:3])}"
    minutes = f":{offset[3:5]}" if offset[3:5] != "00" else ""
    return name if name == "UTC" else f"{name} (UTC{hours}{minutes})"


def _time(moment: datetime, words: str, css: str, live: str) -> SafeString:
    return format_html(
        '<time class="{}" datetime="{}" title="{}"{}>{}</time>',
        css,
        moment.isoformat(),
        whole(moment),
        f" {live}" if live else "",
        words,
    )
