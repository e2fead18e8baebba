"""Lists of thousands: summed up on the page, and every row of them on demand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from approvals.models import User
from approvals.presentation import PAGE_OF_ROWS, present_rows
from tests.factories import make_request, make_user
from tests.review.people import signed_in

LISTS: dict[str, list[Any]] = {
    "table": [{"id": n, "name": f"Row {n}", "price": n * 1.5} for n in range(2_600)],
    "values": [f"value {n}" for n in range(5_000)],
    "steps": [{"tool": "t", "arguments": {"a": {"x": n}, "b": "text"}} for n in range(2_000)],
}


@pytest.mark.parametrize("shape", LISTS)
def test_page_after_page_shows_every_row_once(shape: str) -> None:
    text = json.dumps({"the": {"list": LISTS[shape]}})
    start = pages = 0
    while page := present_rows(text, None, "/the/list", start):
        assert page.start == start
        assert 0 < page.end - start <= PAGE_OF_ROWS
        assert not page.block.rest  # type: ignore[union-attr]
        start, pages = page.end, pages + 1
    assert start == len(LISTS[shape])
    assert pages <= start // 20


@pytest.mark.parametrize(
    ("pointer", "start"),
    [("/the", 0), ("", 0), ("/none", 0), ("/the/list", 2_600), ("/the/list", -1), ("/the/*", 0)],
)
def test_what_is_no_list_or_no_row_of_it_has_no_page(pointer: str, start: int) -> None:
    assert present_rows(json.dumps({"the": {"list": LISTS["table"]}}), None, pointer, start) is None


@pytest.fixture
def anna(db: None) -> User:
    return make_user("anna")


def test_the_page_of_a_request_leads_to_all_rows_of_a_long_list(anna: User) -> None:
    row = make_request(anna, payload={"lines/all": LISTS["table"]})
    client = signed_in(anna)
    text = client.get(row.get_absolute_url()).content.decode()
    address = f"{row.get_absolute_url()}rows/?at=%2Flines~1all"
    assert f'<a href="{address}">All 2600, page by page</a>' in text

    first = client.get(address).content.decode()
    assert "1 to 100 of 2600" in first
    assert "Row 99<" in first
    assert "Row 100<" not in first
    last = client.get(f"{address}&from=2501").content.decode()
    assert "Row 2599<" in last
    assert "Later rows" not in last


@pytest.mark.parametrize(
    "query", ["", "at=/x", "at=/list&from=0", "at=/list&from=x", "at=/list&from=9"]
)
def test_what_is_not_there_is_not_found(anna: User, query: str) -> None:
    row = make_request(anna, payload={"list": [1, 2, 3]})
    assert signed_in(anna).get(f"{row.get_absolute_url()}rows/?{query}").status_code == 404


def test_rows_are_shown_to_those_alone_who_may_see_the_request(anna: User) -> None:
    row = make_request(anna, payload={"list": [1, 2, 3]})
    address = f"{row.get_absolute_url()}rows/?at=/list"
    assert signed_in(anna).get(address).status_code == 200
    assert signed_in(make_user("carl")).get(address).status_code == 404
