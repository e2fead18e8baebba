from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.canonical import Json, NumberToken, canonical_json, plain_json, sha256_hex

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)  # fmt: skip


def test_keys_are_sorted_and_nothing_is_spaced_out() -> None:
    assert canonical_json({"b": [1, True, None], "a": {"d": 1.5, "c": "é\n"}}) == (
        '{"a":{"c":"é\\n","d":1.5},"b":[1,true,null]}'
    )


def test_a_number_token_is_written_as_it_was_sent() -> None:
    assert canonical_json([NumberToken("1.10"), NumberToken("-0"), "1.10"]) == '[1.10,-0,"1.10"]'


@given(JSON)
def test_canonical_json_says_the_same_as_the_value(value: Json) -> None:
    assert json.loads(canonical_json(value)) == value


@given(JSON)
def test_what_holds_no_number_token_is_written_the_same_in_c(value: Json) -> None:
    assert plain_json(value) == canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        plain_json(value)


def test_the_hash_is_over_utf8() -> None:
    assert sha256_hex("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
