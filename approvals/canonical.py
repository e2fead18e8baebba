"""One text per JSON value, so that "the same content" is a question of equal hashes.

Numbers are the trap: 1.10 and 1.1 are the same float, yet a reviewer may have been
shown the one and a function given the other. So numbers of a payload stay the tokens
that were sent, and are written back as such.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class NumberToken(str):
    """A JSON number exactly as its sender wrote it, such as `1.10` or `1e3`.

    It is a str only so that nothing can be rounded on the way; in JSON it is written
    without quotes.
    """

    __slots__ = ()


def canonical_json(value: Json) -> str:
    """VALUE as JSON: keys sorted by code point, no spaces, UTF-8 characters as they are.

    Number tokens are written as sent. Depth is the caller's to bound.

    Raises:
        TypeError: something in VALUE has no place in JSON.
        ValueError: a float is not finite.
    """
    if type(value) is str:  # most are
        return quoted(value)
    if isinstance(value, NumberToken):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        pairs = [f"{quoted(key)}:{canonical_json(value[key])}" for key in sorted(value)]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    return json.dumps(value, allow_nan=False)


def with_tokens(text: str) -> Json:
    """TEXT, which is JSON, with each number as the token that stands there.

    Raises:
        ValueError: it is not JSON.
    """
    value: Json = json.loads(text, parse_int=NumberToken, parse_float=NumberToken)
    return value


def plain_json(value: object) -> str:
    """VALUE as `canonical_json` writes it, where it holds no number token: written in C."""
    return _PLAIN.encode(value)


_PLAIN = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def sha256_hex(text: str) -> str:
    """SHA-256 over TEXT in UTF-8, as 64 lower-case hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
