"""JSON keeps its numbers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.presentation.jsontext import parse, pretty

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


@given(_JSON)
def test_pretty_text_means_what_the_original_meant(payload: object) -> None:
    assert json.loads(pretty(parse(json.dumps(payload)))) == payload


def test_number_tokens_are_written_as_they_were_read() -> None:
    text = "[1.10, 1e5, 0.1000, -0, 123456789012345678901234567890]"
    assert "".join(pretty(parse(text)).split()) == text.replace(" ", "")


def test_empty_things_stay_empty() -> None:
    assert pretty(parse('{"a":{},"b":[]}')) == '{\n  "a": {},\n  "b": []\n}'


def test_nesting_beyond_reason_is_refused_as_no_json() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        parse("[" * 100_000)
