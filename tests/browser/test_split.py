"""A request beside its list on wide screens, and page by page on small ones."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from approvals.models import ApprovalRequest, Decision
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def rows() -> list[ApprovalRequest]:
    anna = make_user("anna")
    return [
        make_request(anna, title=f"Release order {number}", timeout_seconds=3_600 + number)
        for number in range(3)
    ]


def beside(row: ApprovalRequest) -> str:
    return f"{row.get_absolute_url()}?view=needs-me"


def test_a_row_opens_beside_the_list_under_its_own_address(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    page = visit().sign_in("anna")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Release order 1").click()
    page.wait_for_url(f"**{beside(rows[1])}")
    expect(page.get_by_role("heading", name="Release order 1", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Release order 1", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    expect(page.get_by_role("link", name="Release order 2", exact=True)).to_be_visible()
    expect(page).to_have_title("Release order 1 · Countersign")
    assert page.evaluate("window.same")


def test_the_address_shows_both_again_and_back_leads_to_what_was_before(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(beside(rows[0]))
    page.get_by_role("link", name="Release order 2", exact=True).click()
    expect(page.get_by_role("heading", name="Release order 2", level=1)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Release order 2", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Release order 1", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Release order 0", level=1)).to_be_visible()
    page.get_by_role("link", name="Open full page").click()
    expect(page.get_by_role("link", name="Release order 2", exact=True)).to_have_count(0)
    expect(page.get_by_role("heading", name="Release order 0", level=1)).to_be_visible()


def test_a_request_that_is_gone_does_not_end_up_inside_the_list(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    page = visit().sign_in("anna")
    rows[1].assignments.all().delete()
    page.get_by_role("link", name="Release order 1").click()
    expect(page.get_by_role("heading", name="There is nothing here for you")).to_be_visible()
    expect(page.locator("main main")).to_have_count(0)


def test_a_phone_goes_from_the_list_to_the_request_and_on_to_the_next(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    page = visit(**PHONE).sign_in("anna")
    expect(page.locator("#pane")).to_be_hidden()
    page.get_by_role("link", name="Release order 0").tap()
    expect(page.locator(".list")).to_be_hidden()
    page.locator("#dock").get_by_role("button", name="Approve").tap()
    expect(page.get_by_role("heading", name="Release order 1", level=1)).to_be_visible()
    expect(page.locator("#toast")).to_contain_text("Approved by Anna, sending…")
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Needs me", level=1)).to_be_visible()


def test_without_script_a_row_opens_beside_the_list_and_deciding_leads_to_the_next(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    page = visit(java_script_enabled=False).sign_in("anna")
    page.get_by_role("link", name="Release order 0").click()
    expect(page.get_by_role("link", name="Release order 2", exact=True)).to_be_visible()
    page.get_by_role("button", name="I am on it").click()
    expect(page.get_by_role("link", name="Release order 2", exact=True)).to_be_visible()
    page.locator("#decide-form").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Release order 1", level=1)).to_be_visible()
    expect(page.locator("#toast")).to_contain_text("Release order 0")
    assert Decision.objects.get().request == rows[0]


def test_the_end_of_the_list_leads_back_to_what_was_passed_over(
    visit: Any, rows: list[ApprovalRequest]
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(beside(rows[1]))
    for title in ("Release order 2", "Release order 0"):
        page.locator("#decide-form").get_by_role("button", name="Approve").click()
        expect(page.get_by_role("heading", name=title, level=1)).to_be_focused()
