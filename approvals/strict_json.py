"""From bytes to JSON, with nothing left to interpretation.

Python's own parser takes NaN, duplicate keys, NUL and lone surrogates; PostgreSQL and
the function's parser take other things. What two readers could read differently is
refused here, before anybody reads it: the reviewer must see what the function gets.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import NoReturn

from approvals.canonical import Json, NumberToken

MAX_BODY_BYTES = 256 * 1024
#: Of a payload's canonical JSON, as sent and as a reviewer edited it.
MAX_PAYLOAD_BYTES = 128 * 1024
MAX_DEPTH = 64
MAX_NODES = 20_000
#: Characters of one number, and its power of ten either way: far beyond money and
#: counters, and every reader (float, PostgreSQL's numeric) can hold it.
MAX_NUMBER_LENGTH = 40
MAX_EXPONENT = 308

_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedJson(ValueError):
    """The bytes cannot be read in exactly one way (400). The text says what to mend."""


def parse_json(body: bytes) -> Json:
    """Read BODY as strict JSON (RFC 8259); numbers come back as `NumberToken`.

    Raises:
        MalformedJson: not UTF-8, a byte order mark, not JSON, a key twice, NaN or
            Infinity, NUL, a lone surrogate, deeper than MAX_DEPTH, more than MAX_NODES
            values, or a number longer than MAX_NUMBER_LENGTH.
    """
    text = _text(body)
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"The body is not JSON: {error.msg} at {place}.") from error
    except RecursionError as error:
        raise MalformedJson(_TOO_DEEP) from error
    if not _is_plainly_small(text):
        _check_nodes(value)
    return value


def plain_numbers(value: Json) -> Json:
    """VALUE with its number tokens as int or float, for whoever counts."""
    if type(value) is str:  # most are
        return value
    if isinstance(value, NumberToken):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    return value


_TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep: flatten it."
_TOO_MANY = f"The body holds more than {MAX_NODES} values: send fewer."


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson("The body is not UTF-8: encode it as UTF-8.") from error
    if text.startswith("\ufeff"):
        raise MalformedJson("The body starts with a byte order mark: leave it out.")
    return text


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise MalformedJson("An object has the same key twice: keep one of them.")
    return unique


def _whole_number(token: str) -> NumberToken:
    """TOKEN has neither point nor exponent: of the length that is allowed, it is in range."""
    return NumberToken(token) if len(token) <= MAX_NUMBER_LENGTH else _number(token)


def _number(token: str) -> NumberToken:
    _, _, exponent = token.lower().partition("e")
    readable = (
        len(token) <= MAX_NUMBER_LENGTH
        and abs(int(exponent or 0)) <= MAX_EXPONENT
        and math.isfinite(float(token))
    )
    if not readable:
        raise MalformedJson(
            f"A number is longer than {MAX_NUMBER_LENGTH} characters or beyond "
            f"1e{MAX_EXPONENT}: send it as a string."
        )
    return NumberToken(token)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON number: send null or a string.")


def _is_plainly_small(text: str) -> bool:
    """Whether TEXT, which is JSON, shows without a walk that `_check_nodes` would pass.

    A value is the first, or stands behind a comma or a bracket; NUL and half surrogates
    come only as escapes, for raw they are neither JSON nor UTF-8.
    """
    brackets = text.count("[") + text.count("{")
    values = 1 + brackets + text.count(",")
    return brackets <= MAX_DEPTH and values <= MAX_NODES and "\\u" not in text


def _check_nodes(top: Json) -> None:
    level: list[Json] = [top]
    depth = nodes = 0
    while level:
        depth += any(isinstance(value, dict | list) for value in level)
        nodes += len(level)
        if depth > MAX_DEPTH:
            raise MalformedJson(_TOO_DEEP)
        if nodes > MAX_NODES:
            raise MalformedJson(_TOO_MANY)
        level = [child for value in level for child in _children(value)]


def _children(value: Json) -> Iterable[Json]:
    """The values inside VALUE; its strings, keys included, are looked at on the way."""
    if isinstance(value, dict):
        for key in value:
            _check_text(key)
        return value.values()
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        _check_text(value)
    return ()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedJson("A string holds a NUL character: leave it out.")
    if _SURROGATE.search(text):
        raise MalformedJson("A string holds half of a surrogate pair: send whole characters.")
