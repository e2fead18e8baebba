"""Text from strangers: characters that hide or reorder others are spelled out."""

from __future__ import annotations

import re
import unicodedata

# Letters and symbols without ink: they pass for nothing, or for a space.
_BLANK_LETTERS = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
# Steer the look of their neighbour and can smuggle text; U+FE0F is left to emoji.
_SELECTORS = "\ufe00-\ufe0e\U000e0100-\U000e01ef"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SUSPECT = re.compile(rf"[^\n\t\x20-\x7e\xa0-\xac\xae-\u02ff]|[{_BLANK_LETTERS}{_SELECTORS}]")
_SPELLED_OUT = re.compile(f"[{_BLANK_LETTERS}{_SELECTORS}]")


def visible(text: str) -> str:
    """TEXT with control, bidi and invisible characters as `[U+202E]`.

    Line feeds and tabs stay; a carriage return before a line feed is dropped. The
    result holds no lone surrogate, so it can always be encoded.
    """
    return _SUSPECT.sub(_spell, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """As `visible`, on one line: for labels and headings."""
    return " ".join(visible(text).split())


def _spell(match: re.Match[str]) -> str:
    character = match.group()
    hidden = unicodedata.category(character) in _HIDDEN_CATEGORIES
    if hidden or _SPELLED_OUT.match(character):
        return f"[U+{ord(character):04X}]"
    return character


def humanised(key: str) -> str:
    """A label from a JSON key: `unit_price` and `unitPrice` read "Unit price"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key).replace("_", " ").replace("-", " ")
    label = visible_line(words)
    if not label:
        return "(no name)"
    keep_capitals = label.isupper() and len(label) <= 5
    return label if keep_capitals else label[0].upper() + _lower_words(label[1:])


def _lower_words(text: str) -> str:
    return " ".join(
        word if word.isupper() and len(word) > 1 else word.lower() if word.istitle() else word
        for word in text.split(" ")
    )
