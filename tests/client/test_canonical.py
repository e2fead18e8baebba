"""Client and portal name a payload by the same hash."""

from __future__ import annotations

import json
from typing import Any

import countersign
from hypothesis import given
from hypothesis import strategies as st

from approvals.canonical import canonical_json, sha256_hex
from approvals.strict_json import parse_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63) | st.floats(
    allow_nan=False, allow_infinity=False, allow_subnormal=False
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(payload=st.dictionaries(TEXTS, VALUES, max_size=5))
def test_the_portal_computes_the_clients_hash_from_the_clients_bytes(
    payload: dict[str, Any],
) -> None:
    as_sent = parse_json(countersign._canonical_json({"payload": payload}))
    assert isinstance(as_sent, dict)

    assert sha256_hex(canonical_json(as_sent["payload"])) == countersign.payload_sha256(payload)


def test_numbered_keys_are_sorted_as_the_text_they_become() -> None:
    payload = {10: "ten", 9: "nine"}

    assert countersign.payload_sha256(payload) == sha256_hex('{"10":"ten","9":"nine"}')
    assert json.loads(countersign._canonical_json(payload)) == {"9": "nine", "10": "ten"}
