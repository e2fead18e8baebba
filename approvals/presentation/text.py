"""Text from strangers: characters that hide or reorder others are spelled out."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

# Unicode's categories Cc, Cf, Zl, Zp, Cs and Co, without line feed and tab.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_FORMATS = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"
# Letters and symbols without ink: they pass for nothing, or for a space.
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
# Steer the look of their neighbour and can smuggle text; U+FE0F is left to emoji.
_SELECTORS = "\ufe00-\ufe0e"
_HIDDEN = re.compile(f"[{_CONTROLS}{_FORMATS}{_PRIVATE}{_BLANKS}{_SELECTORS}]")


def visible(text: str) -> str:
    """TEXT with control, bidi and invisible characters as `[U+202E]`.

    Line feeds and tabs stay; a carriage return before a line feed is dropped. The
    result holds no lone surrogate, so it can always be encoded.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_spell, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """As `visible`, on one line: for labels and headings."""
    return " ".join(visible(text).split())


def _spell(match: re.Match[str]) -> str:
    return f"[U+{ord(match.group()):04X}]"


def humanised(key: str) -> str:
    """A label from a JSON key: `unit_price` and `unitPrice` read "Unit price"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key).replace("_", " ").replace("-", " ")
    label = visible_line(words)
    if not label:
        return _("(no name)")
    if label.isupper() and len(label) <= 5:
        return label
    return label[0].upper() + " ".join(map(_lower, label[1:].split(" ")))


def _lower(word: str) -> str:
    return word.lower() if word.istitle() else word
