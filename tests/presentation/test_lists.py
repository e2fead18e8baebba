"""Lists as tables, values or steps."""

from __future__ import annotations

from approvals.presentation import KINDS, present


def test_one_line_of_an_order_is_a_table_too() -> None:
    text = '{"lines": [{"sku": "MAT-R4", "name": "Sleeping mat", "quantity": 1}]}'

    kinds = [type(block).__name__ for block in present(text, KINDS["order"])]

    assert kinds[0] == "Table"
