"""Payloads become blocks."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from approvals.presentation import KINDS, present
from approvals.presentation.blocks import (
    Block,
    Fields,
    KeyFacts,
    Lines,
    Note,
    Raw,
    Row,
    Section,
    Steps,
    Table,
    Values,
)
from approvals.presentation.build import BUDGET, DEEPEST

ORDER = {
    "order_id": "NO-1",
    "currency": "EUR",
    "lines": [
        {"sku": "T", "name": "Tent", "quantity": 4, "price": "689.00"},
        {"sku": "B", "name": "Bag", "quantity": 2, "price": "389.00", "note": None},
    ],
    "totals": {"total": "3534.00", "goods": "3534.00"},
    "shipping_address": {"city": "Tromsø"},
    "billing_address": {"city": "Oslo"},
}


def blocks_of(payload: object, presentation: dict[str, Any] | None = None) -> list[Block]:
    return present(json.dumps(payload), presentation)


def labels(block: Block) -> list[str]:
    assert isinstance(block, Fields | KeyFacts)
    return [field.label for field in block.items]


def test_single_values_stand_in_one_list_before_everything_with_an_inside() -> None:
    blocks = blocks_of({"a": 1, "inner": {"x": 1}, "b_c": "two"})
    assert labels(blocks[0]) == ["A", "B c"]
    assert isinstance(blocks[1], Section)
    assert blocks[1].label == "Inner"


def test_a_list_of_flat_objects_is_a_table_with_every_key() -> None:
    table = blocks_of(ORDER)[1]
    assert isinstance(table, Table)
    assert [column.label for column in table.columns] == [
        "Sku", "Name", "Quantity", "Price", "Note",
    ]  # fmt: skip
    assert [cell.value.kind for cell in table.rows[0]][-1] == "missing"
    assert [cell.value.kind for cell in table.rows[1]][-1] == "null"


def test_numbers_align_right_but_the_column_that_names_the_row_does_not() -> None:
    table = blocks_of({"rows": [{"id": 1, "n": 2}, {"id": 2, "n": 3}]})[0]
    assert isinstance(table, Table)
    assert [column.numeric for column in table.columns] == [False, True]


def test_the_kind_orders_names_and_formats_an_order() -> None:
    blocks = blocks_of(ORDER, KINDS["order"])
    facts, fields, table, row, raw = blocks
    assert isinstance(facts, KeyFacts)
    assert [(item.label, item.value.text) for item in facts.items] == [
        ("Total", "€3,534.00"),
        ("Order", "NO-1"),
    ]
    assert labels(fields) == ["Currency"]
    assert isinstance(table, Table)
    assert [column.label for column in table.columns][:4] == ["Item", "SKU", "Qty", "Each"]
    assert table.rows[0][3].value.text == "€689.00"
    assert isinstance(row, Row)
    assert [section.label for section in row.sections] == ["Totals", "Deliver to", "Charge"]
    assert isinstance(raw, Raw)


def test_an_agents_actions_are_steps_with_tool_tags_and_arguments() -> None:
    payload = {
        "reason": "Late parcel",
        "actions": [
            {
                "tool": "payments.refund",
                "tags": ["moves money"],
                "arguments": {"amount": "312.00", "currency": "EUR"},
            }
        ],
    }
    reason, steps, _raw = blocks_of(payload, KINDS["agent-action"])
    assert isinstance(reason, Fields)
    assert reason.items[0].value.kind == "quote"
    assert isinstance(steps, Steps)
    step = steps.items[0]
    assert (step.title, step.tags) == ("payments.refund", ("moves money",))
    assert labels(step.blocks[0]) == ["Amount", "Currency"]
    inside = step.blocks[0]
    assert isinstance(inside, Fields)
    assert inside.items[0].value.text == "€312.00"


def test_digits_beyond_a_float_reach_the_page_and_the_raw_text() -> None:
    blocks = present('{"n": 12345678901234567890.10, "m": 9007199254740993}')
    fields, raw = blocks
    assert isinstance(fields, Fields)
    assert [item.value.text for item in fields.items] == [
        "12345678901234567890.10",
        "9007199254740993",
    ]
    assert isinstance(raw, Raw)
    assert '"n": 12345678901234567890.10' in raw.text


def test_hidden_fields_are_named_and_stay_in_the_raw_text() -> None:
    fields, note, raw = blocks_of({"a": 1, "secret": 2}, {"hide": ["/secret"]})
    assert labels(fields) == ["A"]
    assert isinstance(note, Note)
    assert "/secret" in note.text
    assert isinstance(raw, Raw)
    assert '"secret": 2' in raw.text


def test_a_hidden_column_is_named_once() -> None:
    rows = [{"a": 1, "b": 2}] * 3
    table, note, _raw = blocks_of({"rows": rows}, {"hide": ["/rows/*/b"]})
    assert isinstance(table, Table)
    assert [column.label for column in table.columns] == ["A"]
    assert isinstance(note, Note)
    assert note.text.count("/rows/*/b") == 1


def test_rows_beyond_fifty_wait_behind_a_count() -> None:
    table = blocks_of({"rows": [{"a": n, "b": n} for n in range(60)]})[0]
    assert isinstance(table, Table)
    assert (len(table.rows), table.more, table.count) == (50, 10, 60)
    rest = table.rest[0]
    assert isinstance(rest, Table)
    assert rest.rows[0][0].value.text == "50"


def test_words_beyond_fifty_wait_behind_a_count() -> None:
    words = blocks_of({"words": [f"word {n}" for n in range(70)]})[0]
    assert isinstance(words, Values)
    assert (len(words.items), words.more) == (50, 20)


def test_what_is_nested_too_deeply_is_shown_as_json() -> None:
    payload: object = {"bottom": 1}
    for _level in range(DEEPEST + 2):
        payload = {"in": payload}
    found: Block = blocks_of(payload)[0]
    depth = 0
    while isinstance(found, Section):
        found, depth = found.blocks[0], depth + 1
    assert isinstance(found, Raw)
    assert '"bottom": 1' in found.text
    assert depth == DEEPEST - 1


def test_a_payload_with_more_members_than_anyone_reads_says_how_many_more() -> None:
    blocks = blocks_of({f"k{n}": n for n in range(BUDGET + 300)})
    fields, note, raw = blocks
    assert isinstance(fields, Fields)
    assert len(fields.items) + len(fields.rest) == BUDGET
    assert isinstance(note, Note)
    assert "300 more are in the payload as received" in note.text
    assert isinstance(raw, Raw)
    assert f'"k{BUDGET + 299}"' in raw.text


def test_text_that_is_no_json_is_shown_as_it_is() -> None:
    (raw,) = present("{not json \u202e")
    assert isinstance(raw, Raw)
    assert raw.text == "{not json [U+202E]"


def test_a_presentation_of_the_wrong_shape_is_passed_over() -> None:
    wrong = {
        "labels": ["x"],
        "order": {"a": 1},
        "formats": {"/a": 5},
        "hide": "all",
        "highlights": 7,
    }
    assert labels(blocks_of({"a": 1}, wrong)[0]) == ["A"]


def test_an_unknown_format_falls_back_to_recognition() -> None:
    fields = blocks_of({"a": True, "b": "x"}, {"formats": {"/a": "sparkle", "/b": "sparkle"}})[0]
    assert isinstance(fields, Fields)
    assert [item.value.text for item in fields.items] == ["Yes", "x"]


def test_a_pointer_with_slashes_and_tildes_names_one_key() -> None:
    fields = blocks_of({"a/b~c": 1}, {"labels": {"/a~1b~0c": "Odd"}})[0]
    assert labels(fields) == ["Odd"]


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=40
)


@given(_JSON, st.sampled_from([None, *KINDS.values()]))
def test_any_json_becomes_blocks_that_can_be_encoded(
    payload: object, presentation: dict[str, Any] | None
) -> None:
    blocks = blocks_of(payload, presentation)
    assert isinstance(blocks[-1], Raw)
    repr(blocks).encode()
    blocks[-1].text.encode()


def test_what_the_lines_add_up_to_stands_below_them_and_nowhere_else() -> None:
    lines = [{"name": "Tent", "price": "689.00"}]
    blocks = blocks_of(ORDER | {"lines": lines}, KINDS["order"])
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert [(item.label, item.value.text, item.key) for item in table.foot] == [
        ("Goods", "€3,534.00", False),
        ("Total", "€3,534.00", True),
    ]
    assert "Totals" not in [block.label for block in blocks if isinstance(block, Section)]


def test_sums_that_are_no_flat_object_keep_a_section_of_their_own() -> None:
    lines = [{"name": "Tent", "price": "689.00"}]
    odd = ORDER | {"lines": lines, "totals": {"total": "1.00", "tax": {"vat": "0.20"}}}
    blocks = blocks_of(odd, KINDS["order"])
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert table.foot == ()
    assert "Totals" in [block.label for block in blocks if isinstance(block, Section)]


def test_an_address_reads_as_on_an_envelope_and_loses_nothing() -> None:
    address = {"country": "NO", "zip": "9008", "street": "Storgata 88", "name": "Ingrid"}
    blocks = blocks_of({"shipping_address": address, "lines": []}, KINDS["order"])
    (section,) = [block for block in blocks if isinstance(block, Section)]
    (lines,) = section.blocks
    assert isinstance(lines, Lines)
    assert [item.value.text for item in lines.items] == ["Ingrid", "Storgata 88", "NO", "9008"]


def test_a_table_that_ends_in_words_has_no_sums_below_it() -> None:
    blocks = blocks_of(ORDER, KINDS["order"])
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert (table.columns[-1].label, table.foot) == ("Note", ())
    (row,) = [block for block in blocks if isinstance(block, Row)]
    assert "Totals" in [section.label for section in row.sections]
