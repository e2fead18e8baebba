"""JSON read and written with its number tokens kept.

`12345678901234567890` and `0.1000` mean what their digits say; a float would round
them. Numbers stay text here from the first byte to the page.
"""

from __future__ import annotations

import json
from typing import TypeAlias


class Number(str):
    """A number as it was written, digit for digit."""

    __slots__ = ()


Json: TypeAlias = "dict[str, Json] | list[Json] | str | Number | bool | None"


def parse(text: str) -> Json:
    """TEXT as JSON with every number a `Number`. Raises ValueError where it is not JSON."""
    try:
        parsed: Json = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return parsed


def pretty(value: Json, indent: str = "") -> str:
    """VALUE as indented JSON text, numbers as they were written."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        members = (f"{inner}{_quoted(key)}: {pretty(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        items = (inner + pretty(item, inner) for item in value)
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    return _quoted_scalar(value)


def _quoted_scalar(value: Json) -> str:
    return str(value) if isinstance(value, Number) else _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
