"""A payload's blocks and leaves as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from approvals.locales import here
from approvals.presentation import Piece, one_side, present, shortened, word_diff
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


@register.simple_tag
def marked(pieces: Iterable[Piece], side: str = "") -> SafeString:
    """A text's PIECES with what is gone and new marked; of one SIDE (`gone`, `new`) alone."""
    shown = one_side(pieces, "gone" if side == "gone" else "new") if side else pieces
    return format_html_join("", "{}", ((_MARKED[piece.part](piece),) for piece in shown))


@register.simple_tag
def compared(old: object, new: object) -> SafeString:
    """The text OLD become NEW, as `marked` draws it."""
    return marked(shortened(word_diff(str(old), str(new))))


def _same(piece: Piece) -> SafeString:
    if not piece.left_out:
        return format_html("{}", piece.text)
    words = _("%(count)s unchanged characters") % {"count": here().whole(piece.left_out)}
    return format_html('{} <span class="left-out">[… {}]</span> {}', piece.text, words, piece.rest)


# Few screen readers tell ins and del apart: the words do.
_MARK = '<{0}><span class="vh">[{1} </span>{2}<span class="vh">]</span></{0}>'

_MARKED: dict[str, Callable[[Piece], SafeString]] = {
    "same": _same,
    "gone": lambda piece: format_html(_MARK, "del", _("taken out:"), piece.text),
    "new": lambda piece: format_html(_MARK, "ins", _("put in:"), piece.text),
}


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
