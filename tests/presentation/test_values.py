"""Leaves of a payload as a reviewer reads them."""

from __future__ import annotations

import pytest

from approvals.presentation.jsontext import Json, Number
from approvals.presentation.values import leaf


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "Yes"),
        (False, "boolean", "No"),
        (None, "null", "—"),
        (Number("12345678901234567890"), "number", "12345678901234567890"),
        (Number("0.1000"), "number", "0.1000"),
        (Number("1e400"), "number", "1e400"),
        ("2026-11-18", "date", "Wed 18 Nov 2026"),
        ("2026-11-20T13:20:05Z", "datetime", "Fri 20 Nov 2026, 13:20:05 UTC"),
        ("2026-11-20T13:20+05:30", "datetime", "Fri 20 Nov 2026, 13:20 (UTC+05:30)"),
        ("2026-13-40", "text", "2026-13-40"),
        ("20 apples", "text", "20 apples"),
        ("12345678", "text", "12345678"),
    ],
)
def test_a_value_is_recognised(value: Json, kind: str, text: str) -> None:
    drawn = leaf(value)
    assert (drawn.kind, drawn.text) == (kind, text)


def test_an_https_address_is_a_link_with_its_host_beside_it() -> None:
    drawn = leaf("https://shop.example/admin?id=1")
    assert (drawn.kind, drawn.title) == ("link", "shop.example")
    assert drawn.href == "https://shop.example/admin?id=1"


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example/",
        "javascript:alert(1)",
        "//shop.example/",
        "https://bank.example@evil.example/",
        "https://b\u202eank.example/",
        "https://bänk.example/",
        "https:///nohost",
        "https://[bad",
        'https://a.example/"onx="',
        "https://a.example/ b",
        "data:text/html,x",
    ],
)
def test_an_address_that_could_mislead_is_plain_text(address: str) -> None:
    drawn = leaf(address)
    assert (drawn.kind, drawn.href) == ("text", "")


def test_money_takes_its_currency_from_the_document() -> None:
    root: Json = {"currency": "EUR"}
    assert leaf(Number("5"), "money:@/currency", root).text == "€5.00"


def test_money_takes_its_currency_from_the_object_it_stands_in() -> None:
    assert leaf("5", "money:@./cur", {"cur": "USD"}, {"cur": "GBP"}).text == "£5.00"


def test_a_look_alike_digit_is_flagged_and_not_drawn_as_money() -> None:
    drawn = leaf("１00.00", "money:EUR")
    assert (drawn.kind, drawn.flag) == ("text", "no amount")


def test_an_amount_without_a_currency_is_flagged() -> None:
    drawn = leaf("100.00", "money:@/currency", {})
    assert (drawn.kind, drawn.text, drawn.flag) == ("text", "100.00", "no currency")


def test_a_number_is_never_taken_for_a_currency() -> None:
    assert leaf("1", "money:@/currency", {"currency": Number("978")}).flag == "no currency"


def test_per_cent_is_written_out_and_keeps_its_digits() -> None:
    assert leaf(Number("-17.20"), "percent").text == "−17.20\u00a0%"
    assert leaf("many", "percent").flag == "no number"


@pytest.mark.parametrize(
    ("style", "token", "shown", "title"),
    [
        ("duration", "0", "0 s", "0 seconds"),
        ("duration", "59.50", "59.50 s", "59.50 seconds"),
        ("duration", "7500", "2 h 5 min", "7500 seconds"),
        ("duration", "90061", "1 d 1 h 1 min 1 s", "90061 seconds"),
        ("duration", "-60", "−1 min", "-60 seconds"),
        ("bytes", "1023", "1023 bytes", "1023 bytes"),
        ("bytes", "1468006", "1.4 MiB", "1468006 bytes"),
        ("bytes", "1125899906842624", "1.0 PiB", "1125899906842624 bytes"),
    ],
)
def test_seconds_and_bytes_read_as_people_say_them(
    style: str, token: str, shown: str, title: str
) -> None:
    value = leaf(Number(token), style)
    assert (value.text.replace("\u00a0", " "), value.title) == (shown, title)


@pytest.mark.parametrize("style", ["duration", "bytes"])
@pytest.mark.parametrize("text", ["soon", "1e3", "9" * 5_000, "٣", "-"])
def test_what_is_no_amount_of_seconds_or_bytes_is_shown_as_it_came(style: str, text: str) -> None:
    value = leaf(text, style)
    assert (value.text, bool(value.flag)) == (text, True)


def test_a_format_of_the_kind_wins_over_recognition() -> None:
    assert leaf("2026-11-18", "text").kind == "text"
    assert leaf("https://a.example", "code").kind == "code"
