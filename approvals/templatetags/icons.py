"""Icons from the sprite, and initials: what stands beside a word, never alone."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/lucide-sprite.svg"


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """The icon NAME of the sprite, hidden from screen readers; CSS adds a class."""
    return _drawn(name, css)


# A list draws a hundred, of a few sorts; where the sprite lies is settled at the start.
@lru_cache(maxsize=256)
def _drawn(name: str, css: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f"i {css}".rstrip(),
        static(SPRITE),
        name,
    )


@receiver(setting_changed)
def _draw_again(*, setting: str, **_: object) -> None:
    if setting in {"STORAGES", "STATIC_URL"}:
        _drawn.cache_clear()


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
