"""Whether a kind's presentation has the shape that pages read. Pure: a value in, sentences out.

Pages pass over what they cannot use, so that a payload can always be read; whoever
writes a presentation must hear of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

#: Formats by name; `money:` is followed by a currency or by where it stands.
FORMATS = (
    "text",
    "code",
    "quote",
    "percent",
    "duration",
    "bytes",
    "date",
    "datetime",
    "tags",
    "address",
)
MOST_ENTRIES = 200  # of each part
LONGEST_TEXT = 200  # characters of a label, a format, a pointer

_POINTER = re.compile(r"(/([^~]|~[01])*)*")
_MONEY = re.compile(r"money:([A-Z]{3}|@\.?(/([^~/]|~[01])*)+)")


def complaints(value: object) -> Iterator[str]:
    """What is wrong with VALUE as a presentation; each sentence names the part."""
    if not isinstance(value, Mapping):
        yield _("Write one JSON object, such as {} for none.")
        return
    for part, inside in value.items():
        if check := _PARTS.get(part):
            yield from check(part, inside)
        else:
            yield _("%(part)s is no part of a presentation. The parts are %(parts)s.") % {
                "part": repr(part),
                "parts": ", ".join(_PARTS),
            }


def _texts(part: str, value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _("%(part)s: write an object from JSON pointers to texts.") % {"part": part}
        return
    if len(value) > MOST_ENTRIES:
        yield _("%(part)s: name %(most_entries)s pointers at most.") % {
            "part": part,
            "most_entries": MOST_ENTRIES,
        }
    for pointer, text in value.items():
        yield from _pointer(part, pointer)
        if not isinstance(text, str):
            yield _("%(part)s: what %(pointer)s leads to must be a text.") % {
                "part": part,
                "pointer": repr(pointer),
            }
        elif len(text) > LONGEST_TEXT:
            yield _(
                "%(part)s: shorten what %(pointer)s leads to, to %(longest_text)s characters."
            ) % {"part": part, "pointer": repr(pointer), "longest_text": LONGEST_TEXT}


def _formats(part: str, value: object) -> Iterator[str]:
    yield from _texts(part, value)
    for pointer, name in value.items() if isinstance(value, Mapping) else ():
        if isinstance(name, str) and name not in FORMATS and not _MONEY.fullmatch(name):
            yield (
                _(
                    "%(part)s: %(name)s at %(pointer)s is no format. Use %(formats)s, money:EUR, "
                    "money:@/currency or money:@./currency."
                )
                % {
                    "part": part,
                    "name": repr(name),
                    "pointer": repr(pointer),
                    "formats": ", ".join(FORMATS),
                }
            )


def _places(part: str, value: object) -> Iterator[str]:
    yield from _texts(part, value)
    for place in value.values() if isinstance(value, Mapping) else ():
        yield from _pointer(part, place)


def _pointers(part: str, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        yield _("%(part)s: write a list of JSON pointers.") % {"part": part}
        return
    if len(value) > MOST_ENTRIES:
        yield _("%(part)s: name %(most_entries)s pointers at most.") % {
            "part": part,
            "most_entries": MOST_ENTRIES,
        }
    for pointer in value:
        yield from _pointer(part, pointer)


def _pointer(part: str, pointer: Any) -> Iterator[str]:
    fit = (
        isinstance(pointer, str)
        and len(pointer) <= LONGEST_TEXT
        and pointer.startswith("/")
        and _POINTER.fullmatch(pointer)
    )
    if not fit:
        yield _(
            "%(part)s: %(pointer)s is no JSON pointer, such as /totals/total or /lines/*/name."
        ) % {"part": part, "pointer": repr(pointer)}


_PARTS: dict[str, Callable[[str, object], Iterator[str]]] = {
    "labels": _texts,
    "order": _pointers,
    "formats": _formats,
    "titles": _texts,
    "sums": _places,
    "highlights": _pointers,
    "hide": _pointers,
}
