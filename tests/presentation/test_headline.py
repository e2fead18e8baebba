"""The amount on the approve button, and what many come to."""

from __future__ import annotations

from decimal import getcontext

from approvals.presentation import KINDS, headline_amount, headline_money, sums
from approvals.presentation.headline import Money

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


def money(amount: str, currency: str = "EUR") -> Money:
    found = headline_money(f'{{"total": {amount}, "currency": "{currency}"}}', KINDS["order"])
    assert found
    return found


def test_amounts_add_up_to_the_digit_whatever_their_size() -> None:
    nines, tiny = "9" * 40, f"0.{'0' * 39}1"
    assert sums([money(nines), money(tiny)]) == [
        f"€{int(nines):,}.{'0' * 39}1",
    ]
    assert sums([money("0.10")] * 3) == ["€0.30"]
    assert sums([money(f"-{tiny}"), money(tiny), money("1")]) == ["€1.00"]
    assert sums([money(nines)] * 50) == [f"{int(nines) * 50} EUR"]
    assert getcontext().prec == 28


def test_each_currency_has_a_sum_of_its_own() -> None:
    amounts = [money("5", "JPY"), money("1.5"), money("7", "JPY"), money("-2.5")]
    assert sums(amounts) == ["¥12", "\u2212€1.00"]
    assert sums([]) == []


def test_what_has_no_headline_adds_nothing() -> None:
    assert headline_money('{"total": "lots", "currency": "EUR"}', KINDS["order"]) is None
