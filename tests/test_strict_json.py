from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.canonical import NumberToken, canonical_json
from approvals.strict_json import (
    MalformedJson,
    _check_nodes,
    _is_plainly_small,
    parse_json,
    plain_numbers,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


REFUSED = {
    "nothing": b"",
    "blank": b"  ",
    "not JSON": b"hello",
    "a form": b"title=x&payload=y",
    "cut short": b'{"a": 1',
    "two values": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "a comment": b"{} // x",
    "single quotes": b"{'a': 1}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "a key twice": b'{"a": 1, "a": 2}',
    "a key twice, escaped": b'{"a": 1, "\\u0061": 2}',
    "a key twice, deep down": b'{"x": [{"a": 1, "a": 1}]}',
    "an escaped NUL": b'{"a": "\\u0000"}',
    "a NUL in a key": b'{"a\\u0000": 1}',
    "a raw NUL": b'{"a": "\x00"}',
    "a raw newline in a string": b'{"a": "\n"}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "x\\udc00"}',
    "a lone surrogate in a key": b'{"\\ud800": 1}',
    "a raw surrogate": b'{"a": "\xed\xa0\x80"}',
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "65 levels": nested(65),
    "levels without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 40_000,
    "20,001 values": b"[" + b",".join([b"1"] * 20_000) + b"]",
    "a number of 41 characters": b"[" + b"1" * 41 + b"]",
    "a number of 100,000 digits": b"[" + b"1" * 100_000 + b"]",
    "a huge exponent": b"[1e309]",
    "a huge negative exponent": b"[1e-309]",
    "an exponent of 38 digits": b"[1e" + b"9" * 37 + b"]",
    "a number no float can hold": b"[9999999999e308]",
    "a leading zero": b"[01]",
    "a plus sign": b"[+1]",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_two_parsers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_json(body)


@given(
    st.recursive(st.text() | st.none(), lambda inner: st.lists(inner, max_size=4), max_leaves=90)
)
def test_what_is_taken_without_a_walk_would_have_passed_it(value: object) -> None:
    for ensure_ascii in (True, False):
        with contextlib.suppress(UnicodeEncodeError):
            text = json.dumps(value, ensure_ascii=ensure_ascii)
            text.encode()
            if _is_plainly_small(text):
                _check_nodes(json.loads(text))


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(MalformedJson, match="byte order mark"):
        parse_json(REFUSED["a byte order mark"])


@pytest.mark.parametrize(
    "body",
    [
        nested(64),
        b"[" + b",".join([b"1"] * 19_999) + b"]",
        b"[" + b"1" * 40 + b"]",
        b"[1e308,-1.5E-308,0.10]",
        b'"\\ud83d\\ude00"',
    ],
)
def test_what_lies_within_the_limits_is_read(body: bytes) -> None:
    parse_json(body)


def test_numbers_stay_the_tokens_that_were_sent() -> None:
    sent = b'{"a":1.10,"b":[10000000000000000000000001,-0,1E2]}'
    assert canonical_json(parse_json(sent)).encode() == sent


def test_counting_fields_get_numbers() -> None:
    value = plain_numbers(parse_json(b'{"a": 3, "b": [-1, 1.5, 1e2], "c": "7", "d": true}'))
    assert value == {"a": 3, "b": [-1, 1.5, 100.0], "c": "7", "d": True}
    assert not isinstance(value, NumberToken)


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode(errors="replace"))
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(MalformedJson):
        parse_json(body)


@given(st.text(alphabet='{}[]",:\\u0d8ef1-+.eE tnN\x00', max_size=60))
def test_anything_that_looks_like_json_is_read_as_python_reads_it_or_refused(text: str) -> None:
    try:
        value = parse_json(text.encode())
    except MalformedJson:
        return
    assert json.loads(canonical_json(value)) == json.loads(text)
