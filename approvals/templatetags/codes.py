"""Names of programs, such as AWS's error codes, as a narrow column shows them."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_WBR = mark_safe("<wbr>")  # nosec B308, B703  our own text
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@register.filter
def breakable(code: str) -> SafeString:
    """CODE, which may break between its words: CallbackTimeoutException has three."""
    return format_html_join(_WBR, "{}", ((word,) for word in _WORDS.split(code)))
