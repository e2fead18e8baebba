"""Senders' Markdown, and plain text whose hidden characters are shown."""

from __future__ import annotations

from django import template
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from approvals.presentation.markdown import render_markdown
from approvals.presentation.text import visible

register = template.Library()


@register.simple_tag
def markdown(text: str | None) -> SafeString:
    """TEXT as sanitised HTML; wrap it in an element with `hx-ignore`."""
    return mark_safe(render_markdown(text or ""))  # noqa: S308  # nosec B308 B703  # nh3


@register.filter
def told(text: object) -> str:
    """A field's help: Django's own, which is HTML, without its tags; a sender's as `shown`."""
    return strip_tags(text) if isinstance(text, SafeString) else visible(str(text))


@register.filter
def inside(sentence: object) -> str:
    """SENTENCE inside another: English goes on in small letters, German keeps its nouns."""
    text = str(sentence)
    return text.lower() if get_language() == "en" else text[:1].lower() + text[1:]


@register.filter
def reworded(text: str) -> str:
    """TEXT, which was written down in English: in the reader's language where we know it.

    What was written down with a code in front (`AccessDenied: …`) keeps the code.
    """
    if not text:
        return ""
    known = gettext(text)
    code, colon, rest = text.partition(": ")
    return f"{code}{colon}{gettext(rest)}" if known == text and rest else known


@register.filter
def shown(text: object) -> str:
    """TEXT with control, bidi and invisible characters as [U+202E]; still to be escaped."""
    return visible(str(text))
