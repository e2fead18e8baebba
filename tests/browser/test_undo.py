"""Second thoughts in Chromium: in time, too late, seen by another, on a phone, without script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, User
from tests.factories import make_kind, make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

HELD_BY_ME = re.compile(r"Approved by you, sent in \d+ s")


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    make_kind(undo_seconds=30)
    return make_request(
        anna, make_user("bert"), title="Release order NO-10428", timeout_seconds=3_600
    )


def over(request: ApprovalRequest) -> None:
    ApprovalRequest.objects.filter(pk=request.pk).update(held_until=database_now())


def test_taken_back_in_time_nothing_is_sent_and_one_decides_again(
    visit: Any, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    expect(page.get_by_text("Sent 30 s after you press")).to_be_visible()
    page.get_by_role("button", name="Approve").first.click()

    expect(page.get_by_role("heading", name=HELD_BY_ME)).to_be_visible()
    expect(page.locator("#decision p[role=status]")).to_be_focused()
    left = page.locator("#decision-h time")
    first = left.inner_text()
    expect(left).not_to_have_text(first)  # it counts down
    page.get_by_role("button", name="Undo").first.click()

    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("took their approval back")
    assert not CallbackDelivery.objects.exists()
    page.get_by_label("Comment").fill("On second thoughts.")
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_role("heading", name="Rejected by you, sent in")).to_be_visible()
    assert Decision.objects.filter(retracted_at=None).get().verdict == "rejected"


def test_the_dial_runs_out_and_the_panel_follows_to_the_end(
    visit: Any, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.get_by_role("button", name="Approve").first.click()
    arc = page.locator("#held .dial-arc")
    share = arc.get_attribute("stroke-dasharray")
    expect(arc).not_to_have_attribute("stroke-dasharray", share or "")
    over(order)
    expect(page.get_by_role("heading", name="Approved by you, sending…")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    lifecycle.conclude_due(now=database_now())
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()


def test_pressed_too_late_it_says_so(visit: Any, order: ApprovalRequest) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("heading", name=HELD_BY_ME)).to_be_visible()
    page.route("**/panel/**", lambda route: route.abort())  # as on a train
    over(order)
    lifecycle.conclude_due(now=database_now())
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("It stays as it is.")).to_be_visible()
    expect(page.get_by_text("Anna approved this at")).to_be_visible()


def test_two_on_one_request_both_see_it_held_and_both_see_it_taken_back(
    visit: Any, order: ApprovalRequest
) -> None:
    hers, his = visit(), visit()
    anna, bert = hers.sign_in("anna"), his.sign_in("bert")
    hers.go(order.get_absolute_url())
    his.go(order.get_absolute_url())
    bert.get_by_label("Comment").fill("Out of stock")

    anna.get_by_role("button", name="Approve").first.click()
    expect(anna.get_by_role("heading", name=HELD_BY_ME)).to_be_visible()
    bert.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(bert.get_by_role("heading", name="Approved by Anna, sent in")).to_be_visible()
    expect(bert.get_by_text("Anna decided while you were here.")).to_be_visible()
    expect(bert.get_by_role("button", name="Undo")).to_have_count(0)

    anna.get_by_role("button", name="Undo").first.click()
    expect(bert.get_by_role("button", name="Reject").first).to_be_visible()
    expect(bert.get_by_label("Comment")).to_have_value("Out of stock")
    bert.get_by_role("button", name="Reject").first.click()
    expect(bert.get_by_role("heading", name="Rejected by you, sent in")).to_be_visible()


def test_who_opens_a_held_request_gets_the_form_once_it_is_taken_back(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    lifecycle.decide(order.pk, verdict="approved", reviewer=anna, channel="browser", held=True)
    visitor = visit()
    page = visitor.sign_in("bert")
    visitor.go(order.get_absolute_url())
    expect(page.get_by_text("unless Anna takes it back")).to_be_visible()
    lifecycle.undo(order.pk, reviewer=anna)
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    expect(page.get_by_role("button", name="Approve").first).to_be_visible()
    expect(page.locator("#panel")).to_have_count(1)
    expect(page.locator("#history")).to_have_count(1)


def test_without_javascript_the_page_shows_it_with_undo_and_a_way_to_look_again(
    visit: Any, order: ApprovalRequest
) -> None:
    visitor = visit(java_script_enabled=False)
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("heading", name=HELD_BY_ME)).to_be_visible()
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    assert not Decision.objects.filter(retracted_at=None).exists()


def test_on_a_phone_undo_lies_under_the_thumb(visit: Any, order: ApprovalRequest) -> None:
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.locator("#dock").get_by_role("button", name="Approve").tap()
    undo = page.locator(".dock").get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport()
    undo.tap()
    expect(page.get_by_text("Taken back.")).to_be_visible()
