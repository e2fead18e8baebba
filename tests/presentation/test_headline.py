"""The amount on the approve button."""

from __future__ import annotations

from approvals.presentation import KINDS, headline_amount

ORDER = '{"currency": "EUR", "totals": {"total": 4597.00}, "total": "1.00"}'


def test_the_first_highlighted_amount_is_the_headline() -> None:
    assert headline_amount(ORDER, KINDS["order"]) == "€4,597.00"


def test_a_parsed_payload_will_do_for_a_list() -> None:
    assert headline_amount({"currency": "EUR", "total": "12.00"}, KINDS["order"]) == "€12.00"


def test_a_highlight_that_is_no_amount_is_passed_over() -> None:
    text = '{"order_id": "NO-1", "currency": "EUR", "totals": {"total": "lots"}, "amount": "7"}'
    assert headline_amount(text, KINDS["order"]) == "€7.00"


def test_without_an_amount_a_currency_or_a_presentation_there_is_no_headline() -> None:
    assert headline_amount('{"total": "12.00"}', KINDS["order"]) is None
    assert headline_amount('{"total": true, "currency": "EUR"}', KINDS["order"]) is None
    assert headline_amount(ORDER, None) is None
    assert headline_amount("not json", KINDS["order"]) is None
    assert headline_amount("[]", KINDS["order"]) is None
