"""Two reviewers, each in a browser of their own, before the same list and the same request."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import Decision
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def look(page: Page) -> None:
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")


def test_what_one_decides_is_struck_through_before_the_other(visit: Any) -> None:
    anna, bert = make_user("anna"), make_user("bert")
    row = make_request(anna, bert, title="Release order 0", timeout_seconds=3_600)
    make_request(anna, title="Release order 1", timeout_seconds=3_700)
    hers, his = visit(), visit()
    page = hers.sign_in("anna")
    page.keyboard.press("j")
    his.sign_in("bert")
    his.go(row.get_absolute_url())
    his.page.locator("#decide-form").get_by_role("button", name="Approve").click()
    expect(his.page.get_by_role("heading", name="Approved by Bert, sending…")).to_be_visible()
    look(page)
    struck = page.locator(".row--decided")
    expect(struck).to_contain_text("Approved by Bert. Nothing is left for you to do.")
    expect(struck.get_by_role("link", name="Release order 0")).to_be_focused()
    expect(page.locator("#status")).to_contain_text("Release order 0: Approved by Bert.")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Release order 1")).to_be_focused()
    page.reload()
    expect(page.get_by_role("link", name="Release order 0")).to_have_count(0)


def test_who_comes_second_in_the_pane_loses_no_word_and_decides_nothing(visit: Any) -> None:
    anna, bert = make_user("anna"), make_user("bert")
    row = make_request(anna, bert, title="Release order 0", timeout_seconds=3_600)
    make_request(anna, bert, title="Release order 1", timeout_seconds=3_700)
    hers, his = visit(), visit()
    for visitor, name in ((hers, "anna"), (his, "bert")):
        page = visitor.sign_in(name)
        page.get_by_role("link", name="Release order 0").click()
        expect(page.get_by_role("heading", name="Release order 0", level=1)).to_be_focused()
    look(hers.page)
    expect(hers.page.get_by_text("Bert is looking at this too")).to_be_visible()
    his.page.keyboard.press("r")
    his.page.keyboard.type("Out of stock")
    hers.page.keyboard.press("a")
    hers.page.keyboard.press("Control+Enter")
    expect(hers.page.get_by_role("heading", name="Release order 1", level=1)).to_be_focused()
    his.page.keyboard.press("Control+Enter")
    # His page may have looked again before he sent it: then its buttons are gone.
    told = re.compile("Somebody was faster|Nothing is left to decide")
    expect(his.page.locator("#decision").get_by_text(told)).to_be_visible()
    expect(his.page.locator("#decision textarea")).to_have_value("Out of stock")
    assert Decision.objects.get().reviewer == anna
    assert Decision.objects.get().request == row
