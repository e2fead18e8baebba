"""Senders' Markdown, and plain text whose hidden characters are shown."""

from __future__ import annotations

from django import template
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from approvals.presentation import sentences
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
def as_noun(label: object) -> str:
    """LABEL in the middle of a sentence: small in English, as it is in German."""
    return str(label).lower() if get_language() == "en" else str(label)


@register.filter
def reworded(text: str) -> str:
    """TEXT of the portal's own, written down in English: in its reader's language and zone.

    It is one sentence, or several, perhaps behind a code (`AccessDenied: …`), which stays. Not
    for what senders or operators wrote.
    """
    return sentences.reworded(text) if text else ""


@register.filter
def shown(text: object) -> str:
    """TEXT with control, bidi and invisible characters as [U+202E]; still to be escaped."""
    return visible(str(text))
