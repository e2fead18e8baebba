"""A phone: the portal is installed, what sticks leaves room, and nothing is out of reach."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals import lifecycle
from approvals.models import ApprovalRequest, Comment, User
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(anna, make_user("bert"), title="Release order", timeout_seconds=3_600)


def open_order(visit: Any, order: ApprovalRequest, **options: Any) -> Page:
    visitor = visit(**options)
    visitor.sign_in("anna")
    page: Page = visitor.go(order.get_absolute_url())
    return page


def test_chromium_finds_nothing_wrong_with_the_manifest(visit: Any, order: ApprovalRequest) -> None:
    page = open_order(visit, order)
    chrome = page.context.new_cdp_session(page)
    found = chrome.send("Page.getAppManifest")
    assert found["errors"] == []
    assert json.loads(found["data"])["start_url"] == "/requests/"


def test_the_dock_is_in_reach_of_a_thumb_and_leaves_while_somebody_types(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order, **PHONE)
    dock = page.locator("#dock")
    box = dock.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    for button in dock.locator(".btn").all():
        size = button.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    page.get_by_label("Message").focus()
    expect(dock).to_be_hidden()
    page.get_by_label("Comment").focus()
    expect(dock).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(844, 390), (720, 450), (360, 225)])
def test_what_sticks_leaves_more_than_half_of_a_low_window(
    visit: Any, order: ApprovalRequest, width: int, height: int
) -> None:
    page = open_order(visit, order, viewport={"width": width, "height": height})
    page.evaluate("scrollTo(0, 600)")
    stuck = page.evaluate(
        """() => ["fixed", "sticky"].flatMap((how) => [...document.querySelectorAll("*")]
             .filter((e) => getComputedStyle(e).position === how)
             .map((e) => e.getBoundingClientRect())
             .filter((box) => box.height && box.bottom > 0 && box.top < innerHeight))
           .reduce((sum, box) => sum + box.height, 0)"""
    )
    assert stuck < height / 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_comment_that_comes_while_somebody_types_leaves_the_words_alone(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order)
    page.get_by_label("Message").fill("Half a sent")
    lifecycle.comment(order.pk, author=User.objects.get(username="bert"), text="I rang him.")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.locator("#thread-lines")).to_contain_text("I rang him.")
    field = page.get_by_label("Message")
    expect(field).to_have_value("Half a sent")
    expect(field).to_be_focused()


def test_somebody_asks_mentions_and_reads_the_answer_without_a_reload(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order)
    page.get_by_label("Message").fill("@carl which depot?")
    page.get_by_role("button", name="Ask the requester").click()
    thread = page.locator("#thread")
    expect(thread).to_contain_text("Your question is written down.")
    expect(thread).to_contain_text("@carl cannot see this request and was not told.")
    expect(thread).to_contain_text("Waits for an answer")
    expect(page.get_by_label("Message")).to_have_value("")
    question = Comment.objects.get()
    lifecycle.answer(order.pk, question.public_id, text="Depot 4.", answered_by="Otto")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(thread).to_contain_text("Depot 4.")
    expect(thread).not_to_contain_text("Waits for an answer")


def test_without_javascript_a_comment_is_a_form_and_a_page(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order, java_script_enabled=False)
    page.get_by_label("Message").fill("@carl look")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#thread-lines")).to_contain_text("@carl look")
    expect(page.locator("#messages")).to_contain_text("@carl cannot see this request")
    assert page.url.endswith("#thread")
