"""Several decided together: by keyboard, with one that another was faster on, by thumb, plain."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals import lifecycle
from approvals.models import ApprovalRequest, Decision, User
from approvals.states import Channel, Verdict
from tests.factories import make_kind, make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


def put(*people: User, count: int, **fields: Any) -> list[ApprovalRequest]:
    return [
        make_request(
            *people,
            **{
                "kind": "order",
                "title": f"Release order {number}",
                "timeout_seconds": 3_600 + number,
                "risk": {"score": 12},
                "payload": {"total": "10.50", "currency": "EUR"},
                **fields,
            },
        )
        for number in range(count)
    ]


def box(page: Page, number: int):
    return page.get_by_label(f"Select Release order {number}")


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def test_three_are_decided_by_keyboard_and_the_one_bert_was_faster_on_is_told(
    visit: Any, anna: User, bert: User
) -> None:
    make_kind("order", undo_seconds=30)
    rows = put(anna, bert, count=4)
    page = visit().sign_in("anna")
    keys(page, "j", "x", "j", "x", "j", "x")
    expect(page.get_by_role("link", name="Release order 2")).to_be_focused()
    expect(page.locator("#status")).to_have_text("Release order 2. 3 selected")
    expect(page.locator("#bulk-words")).to_have_text("3 selected")
    keys(page, "b")
    expect(page.get_by_role("heading", name="Decide 3 requests together")).to_be_visible()
    expect(page.locator(".bulk-facts")).to_contain_text("€31.50")
    lifecycle.decide(
        rows[1].pk, verdict=Verdict.REJECTED, reviewer=bert, channel=Channel.API, comment="No."
    )
    keys(page, "Control+Enter")
    expect(page.locator("#status")).to_have_text("Choose first: a to approve, r to reject.")
    keys(page, "a")
    expect(page.locator("#chosen")).to_have_text("Approve is chosen. Ctrl+Enter sends it.")
    assert Decision.objects.count() == 1
    keys(page, "Control+Enter")
    expect(page.get_by_role("heading", name="2 of 3 requests decided by you")).to_be_visible()
    expect(page.locator(f"#result-{rows[1].pk}")).to_contain_text("Bert rejected this at")
    expect(page.locator(f"#result-{rows[0].pk}")).to_contain_text("You can take it back for")
    keys(page, "z")
    expect(page.locator("#messages")).to_contain_text("2 taken back; nothing was sent.")
    assert Decision.objects.standing().get().reviewer == bert
    page.get_by_role("link", name="Back to Needs me").click()
    expect(page.locator("#bulk")).to_be_hidden()


def test_no_single_key_and_no_enter_decides_on_the_summary(visit: Any, anna: User) -> None:
    put(anna, count=2)
    page = visit().sign_in("anna")
    keys(page, "j", "x", "b")
    expect(page.get_by_role("heading", name="Decide 1 request")).to_be_visible()
    for key in "abcdefghijklmnopqrstuvwxyz0123456789.":
        keys(page, key, "Escape", "Escape")
    page.evaluate("document.activeElement.blur()")
    keys(page, "Enter")
    page.wait_for_load_state("networkidle")
    assert not Decision.objects.exists()


def test_shift_and_a_click_takes_all_between_and_ticks_last_over_polls_and_pages(
    visit: Any, anna: User, bert: User
) -> None:
    rows = put(anna, bert, count=5)
    visitor = visit()
    page = visitor.sign_in("anna")
    box(page, 0).check()
    box(page, 3).click(modifiers=["Shift"])
    expect(page.locator("#bulk-words")).to_have_text("4 selected")
    for number in range(4):
        expect(box(page, number)).to_be_checked()
    expect(box(page, 4)).not_to_be_checked()
    lifecycle.decide(rows[1].pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.locator(".row--decided")).to_contain_text("Approved by Bert.")
    expect(page.locator("#bulk-words")).to_have_text("3 selected")
    page.get_by_role("link", name="Release order 0").click()
    expect(page.get_by_role("heading", name="Release order 0", level=1)).to_be_visible()
    expect(box(page, 2)).to_be_checked()
    visitor.go("/tokens/")
    visitor.go("/requests/?view=needs-me")
    expect(page.locator("#bulk-words")).to_have_text("3 selected")
    page.get_by_role("button", name="Select all 4").click()
    expect(page.locator("#bulk-words")).to_have_text("4 selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#bulk")).to_be_hidden()
    page.reload()
    expect(page.locator("#bulk")).to_be_hidden()


def test_what_was_left_out_goes_with_the_others_once_it_was_opened(visit: Any, anna: User) -> None:
    put(anna, count=1)
    make_request(
        anna, kind="order", title="Release order 9", risk={"score": 80}, timeout_seconds=9_000
    )
    page = visit().sign_in("anna")
    page.get_by_label("Select Release order 0").check()
    page.get_by_label("Select Release order 9").check()
    keys(page, "b")
    expect(page.get_by_text("Its risk is 80: open it from the list first.")).to_be_visible()
    page.get_by_role("link", name="Release order 9").click()
    expect(page.get_by_role("heading", name="Release order 9", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Decide 2 requests together")).to_be_visible()


def test_a_thumb_reaches_the_bar_and_both_verdicts(visit: Any, anna: User) -> None:
    put(anna, count=12)
    page = visit(**PHONE).sign_in("anna")
    box(page, 0).locator("..").tap()
    bar = page.locator("#bulk")
    expect(bar).to_be_visible()
    shape = bar.bounding_box()
    assert shape is not None
    assert shape["y"] + shape["height"] == pytest.approx(844, abs=1)
    assert shape["height"] < 844 / 5
    last = page.get_by_role("link", name="Release order 11")
    last.scroll_into_view_if_needed()
    box(page, 11).locator("..").tap()
    page.get_by_role("button", name="Decide together").tap()
    dock = page.locator("#dock")
    expect(dock.get_by_role("button", name="Approve 2, €21.00")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dock.get_by_role("link", name="Reject").tap()
    page.get_by_label("Comment").fill("Out of stock")
    page.locator("#decide-form").get_by_role("button", name="Reject all 2").tap()
    expect(page.get_by_role("heading", name="2 of 2 requests decided by you")).to_be_visible()
    assert {d.comment for d in Decision.objects.all()} == {"Out of stock"}


def test_without_javascript_it_is_a_form_and_two_pages(visit: Any, anna: User) -> None:
    make_kind("order", undo_seconds=30)
    put(anna, count=3)
    page = visit(java_script_enabled=False).sign_in("anna")
    expect(page.locator("#bulk")).to_be_hidden()
    box(page, 0).check()
    box(page, 2).check()
    page.get_by_role("button", name="Decide together").click()
    page.get_by_role("link", name="Leave out Release order 2").click()
    expect(page.get_by_role("heading", name="Decide 1 request")).to_be_visible()
    page.go_back()
    page.locator("#decide-form").get_by_role("button", name="Reject all 2").click()
    expect(page.get_by_role("alert").first).to_contain_text("Say why you reject")
    page.locator("#decide-form").get_by_role("button", name="Approve 2, €21.00").click()
    expect(page.get_by_role("heading", name="2 of 2 requests decided by you")).to_be_visible()
    page.get_by_role("button", name="Undo Release order 0").click()
    expect(page.get_by_role("heading", name="1 of 2 requests decided by you")).to_be_visible()
    expect(page.get_by_text("Taken back; nothing was sent.").first).to_be_visible()
    assert Decision.objects.standing().count() == 1
