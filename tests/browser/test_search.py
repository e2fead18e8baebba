"""Searching a list in a browser: by key, by thumb, without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import User
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def anna() -> User:
    anna = make_user("anna")
    for number, name in enumerate(("Berta Olsen", "Kari Nordmann", "Berta Lind")):
        make_request(anna, title=f"Release order for {name}", timeout_seconds=3_600 + number)
    return anna


def field(page: Page):
    return page.get_by_role("searchbox", name="Search this list")


def rows(page: Page):
    return page.locator(".row-link")


def test_a_search_is_made_and_read_by_keyboard_alone(visit: Any, anna: User) -> None:
    page = visit().sign_in("anna")
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    page.keyboard.type("ord ber")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_text(
        ["Release order for Berta Olsen", "Release order for Berta Lind"]
    )
    assert "q=ord+ber" in page.url
    for key, name in (("j", "Olsen"), ("j", "Lind"), ("k", "Olsen")):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=f"Release order for Berta {name}")).to_be_focused()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Release order for Berta Olsen", level=1)
    expect(heading).to_be_focused()
    assert "q=ord+ber" in page.url
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    expect(
        page.get_by_role("heading", name="Release order for Berta Lind", level=1)
    ).to_be_visible()


def test_esc_leaves_the_field_and_what_was_typed(visit: Any, anna: User) -> None:
    page = visit().sign_in("anna")
    page.keyboard.press("/")
    page.keyboard.type("jk/")  # keys that are typed do nothing else
    page.keyboard.press("Escape")
    expect(field(page)).not_to_be_focused()
    expect(field(page)).to_have_value("jk/")
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    page.keyboard.type("x")  # in place of what stood there
    expect(field(page)).to_have_value("x")


def test_nothing_found_says_what_to_do_and_leads_back(visit: Any, anna: User) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    field(page).fill("nobody")
    field(page).press("Enter")
    expect(page.get_by_text("Nothing here holds “nobody”.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(rows(page)).to_have_count(3)
    expect(field(page)).to_have_value("")


def test_a_search_works_without_javascript(visit: Any, anna: User) -> None:
    page = visit(java_script_enabled=False).sign_in("anna")
    field(page).fill("kari")
    field(page).press("Enter")
    expect(rows(page)).to_have_text(["Release order for Kari Nordmann"])
    page.get_by_role("link", name="show without it").click()
    expect(rows(page)).to_have_count(3)


def test_a_search_fits_a_phone(visit: Any, anna: User) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True).sign_in("anna")
    field(page).fill("berta")
    field(page).press("Enter")
    expect(rows(page)).to_have_count(2)
    assert field(page).bounding_box()["height"] >= 40
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_the_list_of_keys_tells_of_it(visit: Any, anna: User) -> None:
    page = visit().sign_in("anna")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Search this list")


def test_what_comes_to_a_search_is_told_there(visit: Any, anna: User) -> None:
    page = visit().sign_in("anna")
    field(page).fill("berta")
    field(page).press("Enter")
    expect(rows(page)).to_have_count(2)
    make_request(anna, title="Not of interest")
    make_request(anna, title="Another for Berta")
    expect(page.locator(".newer")).to_contain_text("1 new request", timeout=15_000)
    page.locator(".newer-link").click()
    expect(rows(page)).to_have_count(3)
