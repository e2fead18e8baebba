"""A heartbeat's trace: a peak for each beat that AWS took, and what came after the last.

Drawn by counting, not by the clock: the portal keeps how many beats AWS took and when the
last one was, not the moment of each. Hidden from screen readers; the words beside it say all.
"""

from __future__ import annotations

from typing import Protocol

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

#: How many beats are drawn at most; and tries that failed, of those.
MOST, MOST_MISSED = 24, 8
_STEP = 10
_PEAK = "h3l1-1.5.8 1.5.9-9 1.3 14 1-5h2"


class Counted(Protocol):
    """What is drawn of a heartbeat: BEATS in all, MISSES since the last of them."""

    @property
    def beats(self) -> int: ...
    @property
    def misses(self) -> int: ...


@register.simple_tag
def trace(heart: Counted, *, late: bool, most: int = MOST) -> SafeString:
    """The last beats of HEART, the youngest on the right; flat where a try failed or it is LATE."""
    missed = min(max(heart.misses, int(late)), MOST_MISSED, most)
    peaks = min(heart.beats, most - missed)
    start = (most - missed - peaks) * _STEP
    tone = "late" if late else "missed" if missed else "ok"
    return format_html(
        '<svg class="beats beats--{}" viewBox="0 0 {} 20" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><path class="beat-none" d="M0 12h{}"/>'
        '<path class="beat" d="M{} 12{}"/><path class="beat-miss" d="M{} 12h{}"/></svg>',
        tone,
        most * _STEP,
        start,
        start,
        _PEAK * peaks,
        start + peaks * _STEP,
        missed * _STEP,
    )
