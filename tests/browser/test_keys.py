"""Deciding by keyboard alone, and what keys must never do."""

from __future__ import annotations

import string
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import ApprovalRequest, Decision, User
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def put(anna: User, count: int) -> list[ApprovalRequest]:
    """COUNT requests for ANNA, the nearest deadline first."""
    return [
        make_request(anna, title=f"Release order {number}", timeout_seconds=3_600 + number)
        for number in range(count)
    ]


def opened(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, level=1)).to_be_focused()


def test_ten_requests_are_decided_by_keyboard_alone(visit: Any, anna: User) -> None:
    rows = put(anna, 10)
    page = visit().sign_in("anna")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Release order 0")).to_be_focused()
    page.keyboard.press("o")
    for number, row in enumerate(rows):
        opened(page, row.title)
        if number == 3:
            page.keyboard.press("r")
            page.keyboard.type("a wrong address")
        else:
            page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        if number < 9:
            expect(page.locator("#toast")).to_contain_text(row.title)
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    said = Decision.objects.order_by("id").values_list("request_id", "verdict", "comment")
    expected = [(row.pk, "approved", "") for row in rows]
    expected[3] = (rows[3].pk, "rejected", "a wrong address")
    assert list(said) == expected


def test_what_was_decided_is_read_out_where_the_next_request_opens(visit: Any, anna: User) -> None:
    put(anna, 2)
    page = visit().sign_in("anna")
    for key in ("j", "Enter"):
        page.keyboard.press(key)
    opened(page, "Release order 0")
    for key in ("a", "Control+Enter"):
        page.keyboard.press(key)
    opened(page, "Release order 1")
    expect(page.locator("#status")).to_contain_text("Approved by Anna, sending… Release order 0")


def test_no_single_key_decides(visit: Any, anna: User) -> None:
    row, _ = put(anna, 2)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(f"{row.get_absolute_url()}?view=needs-me")
    for key in string.printable.strip():
        page.keyboard.press(key)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert not Decision.objects.exists()


def test_ctrl_enter_sends_nothing_that_was_not_chosen(visit: Any, anna: User) -> None:
    row, _ = put(anna, 2)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(row.get_absolute_url())
    page.get_by_label("Comment").fill("Half a thought")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_have_text("Choose first: a to approve, r to reject.")
    assert not Decision.objects.exists()


def test_keys_rest_while_somebody_types(visit: Any, anna: User) -> None:
    row, _ = put(anna, 2)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(row.get_absolute_url())
    page.keyboard.press("r")
    page.keyboard.type("jar?.z")
    expect(page.get_by_label("Comment")).to_have_value("jar?.z")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_the_account_menu_switches_the_keys_off_for_good(visit: Any, anna: User) -> None:
    put(anna, 2)
    page = visit().sign_in("anna")
    page.get_by_role("button", name="Anna").click()
    page.get_by_label("Single-key shortcuts").first.uncheck()
    page.reload()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Release order 0")).not_to_be_focused()
    page.get_by_role("button", name="Anna").click()
    expect(page.get_by_label("Single-key shortcuts").first).not_to_be_checked()


def test_without_script_there_is_no_word_of_keys(visit: Any, anna: User) -> None:
    put(anna, 2)
    page = visit(java_script_enabled=False).sign_in("anna")
    page.get_by_role("button", name="Anna").click()
    expect(page.get_by_role("link", name="Change password")).to_be_visible()
    for words in page.get_by_text("shortcuts").all():
        expect(words).to_be_hidden()
    expect(page.locator("kbd").first).to_be_hidden()


def test_who_does_not_want_the_next_stays_and_sees_it_settle(visit: Any, anna: User) -> None:
    put(anna, 2)
    page = visit().sign_in("anna")
    page.get_by_role("button", name="Anna").click()
    page.get_by_label("Open the next after deciding").uncheck()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Release order 0").click()
    page.locator("#decide-form").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    expect(page.get_by_role("heading", name="Release order 0", level=1)).to_be_visible()


def test_a_dot_says_i_am_on_it_and_takes_it_back(visit: Any, anna: User) -> None:
    row, _ = put(anna, 2)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(row.get_absolute_url())
    page.keyboard.press(".")
    expect(page.get_by_text("You are on it; others see that.")).to_be_visible()
    page.keyboard.press(".")
    expect(page.get_by_text("Nobody is on it yet.")).to_be_visible()


def test_e_goes_to_the_first_field_of_the_response(visit: Any, anna: User) -> None:
    schema = {"type": "object", "properties": {"why": {"type": "string", "maxLength": 50}}}
    row = make_request(anna, response_schema=schema)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(row.get_absolute_url())
    page.keyboard.press("e")
    expect(page.get_by_label("Why")).to_be_focused()
