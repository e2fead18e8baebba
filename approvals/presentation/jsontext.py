"""JSON read and written with its number tokens kept.

`12345678901234567890` and `0.1000` mean what their digits say; a float would round
them. Numbers stay text here from the first byte to the page.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import TypeAlias

from approvals.presentation.text import visible


class Number(str):
    """A number as it was written, digit for digit."""

    __slots__ = ()


Json: TypeAlias = "dict[str, Json] | list[Json] | str | Number | bool | None"

_NAMED = {"None": "null", "True": "true", "False": "false", "{}": "{}", "[]": "[]"}


def parse(text: str) -> Json:
    """TEXT as JSON with every number a `Number`. Raises ValueError where it is not JSON."""
    try:
        parsed: Json = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return parsed


def indented(text: str) -> str:
    """TEXT, which is JSON, as it is shown: indented, nothing in it hidden."""
    return visible(pretty(parse(text)))


def pretty(value: Json) -> str:
    """VALUE as indented JSON text, numbers as they were written."""
    pieces: list[str] = []
    _write(value, "\n", pieces)
    return "".join(pieces)


def _write(value: Json, line: str, pieces: list[str]) -> None:
    """Append VALUE to PIECES; LINE is a line feed with the indent VALUE stands at."""
    if isinstance(value, dict) and value:
        start = "{"
        for key, item in value.items():
            pieces += (start, line, "  ", encode_basestring(key), ": ")
            _write(item, line + "  ", pieces)
            start = ","
        pieces += (line, "}")
    elif isinstance(value, list) and value:
        start = "["
        for item in value:
            pieces += (start, line, "  ")
            _write(item, line + "  ", pieces)
            start = ","
        pieces += (line, "]")
    else:
        pieces.append(_scalar(value))


def _scalar(value: Json) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return encode_basestring(value)
    return _NAMED[repr(value)]
