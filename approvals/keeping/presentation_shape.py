"""Whether a kind's presentation has the shape that pages read. Pure: a value in, sentences out.

Pages pass over what they cannot use, so that a payload can always be read; whoever
writes a presentation must hear of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

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
        yield "Write one JSON object, such as {} for none."
        return
    for part, inside in value.items():
        if check := _PARTS.get(part):
            yield from check(part, inside)
        else:
            yield f"{part!r} is no part of a presentation. The parts are {', '.join(_PARTS)}."


def _texts(part: str, value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{part}: write an object from JSON pointers to texts."
        return
    if len(value) > MOST_ENTRIES:
        yield f"{part}: name {MOST_ENTRIES} pointers at most."
    for pointer, text in value.items():
        yield from _pointer(part, pointer)
        if not isinstance(text, str):
            yield f"{part}: what {pointer!r} leads to must be a text."
        elif len(text) > LONGEST_TEXT:
            yield f"{part}: shorten what {pointer!r} leads to, to {LONGEST_TEXT} characters."


def _formats(part: str, value: object) -> Iterator[str]:
    yield from _texts(part, value)
    for pointer, name in value.items() if isinstance(value, Mapping) else ():
        if isinstance(name, str) and name not in FORMATS and not _MONEY.fullmatch(name):
            yield (
                f"{part}: {name!r} at {pointer!r} is no format. Use {', '.join(FORMATS)}, "
                "money:EUR, money:@/currency or money:@./currency."
            )


def _places(part: str, value: object) -> Iterator[str]:
    yield from _texts(part, value)
    for place in value.values() if isinstance(value, Mapping) else ():
        yield from _pointer(part, place)


def _pointers(part: str, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{part}: write a list of JSON pointers."
        return
    if len(value) > MOST_ENTRIES:
        yield f"{part}: name {MOST_ENTRIES} pointers at most."
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
        yield f"{part}: {pointer!r} is no JSON pointer, such as /totals/total or /lines/*/name."


_PARTS: dict[str, Callable[[str, object], Iterator[str]]] = {
    "labels": _texts,
    "order": _pointers,
    "formats": _formats,
    "titles": _texts,
    "sums": _places,
    "highlights": _pointers,
    "hide": _pointers,
}
