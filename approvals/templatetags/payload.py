"""A payload's blocks and leaves as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from approvals.presentation import present
from approvals.presentation.blocks import Value

register = template.Library()


@register.inclusion_tag("parts/payload.html")
def payload(
    text: str, presentation: Mapping[str, Any] | None = None, rows_at: str = ""
) -> dict[str, Any]:
    """The payload TEXT, the original JSON, laid out by its kind's PRESENTATION.

    ROWS_AT: the address at which long lists are read page by page.
    """
    return {"blocks": present(text, presentation), "rows_at": rows_at}


@register.simple_tag
def leaf(value: Value) -> SafeString:
    """One value; everything in it is escaped here."""
    drawn = _DRAWN.get(value.kind, _span)(value)
    if not value.flag:
        return drawn
    return format_html('{} <span class="v-flag">({})</span>', drawn, value.flag)


def _span(value: Value) -> SafeString:
    if not value.title:
        return format_html('<span class="v-{}">{}</span>', value.kind, value.text)
    return format_html(
        '<span class="v-{}" title="{}">{}</span>', value.kind, value.title, value.text
    )


def _text(value: Value) -> SafeString:
    if value.text.isascii():
        return format_html("{}", value.text)
    # Its own direction, which leaves the words around it alone.
    return format_html("<bdi>{}</bdi>", value.text)


def _link(value: Value) -> SafeString:
    return format_html(
        '<a href="{}" rel="noopener noreferrer nofollow">{}</a> <span class="v-host">{}</span>',
        value.href,
        value.text,
        value.title,
    )


def _moment(value: Value) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.title, value.title, value.text
    )


def _quote(value: Value) -> SafeString:
    return format_html('<blockquote dir="auto">{}</blockquote>', value.text)


def _tags(value: Value) -> SafeString:
    words = format_html_join("", '<span class="tag">{}</span>', ((word,) for word in value.items))
    return format_html('<span class="tags">{}</span>', words)


_DRAWN: dict[str, Callable[[Value], SafeString]] = {
    "text": _text,
    "missing": _text,
    "link": _link,
    "date": _moment,
    "datetime": _moment,
    "quote": _quote,
    "tags": _tags,
}
