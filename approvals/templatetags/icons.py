"""Icons from the sprite, and initials: what stands beside a word, never alone."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/lucide-sprite.svg"


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """The icon NAME of the sprite, hidden from screen readers; CSS adds a class."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f"i {css}".rstrip(),
        static(SPRITE),
        name,
    )


@register.simple_tag
def mark() -> SafeString:
    """The portal's own mark, drawn in pen blue."""
    return format_html(
        '<svg class="mark" aria-hidden="true" focusable="false"><use href="{}#mark"/></svg>',
        static(SPRITE),
    )


@register.filter
def initials(name: object) -> str:
    """At most two letters for an avatar: "Mara Lindqvist" and "mara.lindqvist" give ML."""
    words = str(name).split("@")[0].replace(".", " ").replace("_", " ").replace("-", " ").split()
    letters = [word[0] for word in words if word[0].isalnum()]
    chosen = letters[:1] + letters[1:][-1:]
    return "".join(chosen).upper() or "?"
