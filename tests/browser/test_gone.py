"""The portal away for a while: what was on the page stays there, and the page says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from approvals.models import ApprovalRequest, Decision, Heartbeat
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
GONE = "The portal does not answer."


@pytest.fixture
def order() -> ApprovalRequest:
    return make_request(
        make_user("anna"), title="Release order", timeout_seconds=3_600,
        heartbeat_timeout_seconds=300,
    )  # fmt: skip


def open_order(visit: Any, order: ApprovalRequest, **options: Any) -> Page:
    visitor = visit(**options)
    visitor.sign_in("anna")
    page: Page = visitor.go(order.get_absolute_url())
    return page


def gateway(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1>")


def look(page: Page) -> None:
    with page.expect_response("**/panel/**"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")


def test_a_proxys_error_takes_nothing_away_and_is_told_after_a_while(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order)
    page.get_by_label("Comment").fill("Half a sentence")
    page.route("**/panel/**", gateway)
    look(page)
    expect(page.get_by_text("Live updates stopped")).to_be_visible()
    expect(page.get_by_text(GONE)).to_be_hidden()  # it may be a restart
    expect(page.get_by_text(GONE)).to_be_visible(timeout=15_000)  # the next look, in 5 s
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    expect(page.get_by_text("Bad Gateway")).to_have_count(0)
    page.unroute("**/panel/**")
    look(page)
    expect(page.get_by_text(GONE)).to_be_hidden()
    expect(page.get_by_label("Comment")).to_have_value("Half a sentence")


def test_a_press_that_did_not_arrive_says_so_and_what_was_typed_stays(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order)
    page.get_by_label("Comment").fill("The address is wrong.")
    page.route("**/decide/**", gateway)
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_text("What you pressed may not have arrived")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("The address is wrong.")
    page.unroute("**/decide/**")
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_role("heading", name="Rejected by Anna")).to_be_visible()
    expect(page.get_by_text("may not have arrived")).to_be_hidden()
    assert Decision.objects.count() == 1


def test_a_phone_without_network_says_so_at_once_above_the_dock(
    visit: Any, order: ApprovalRequest
) -> None:
    page = open_order(visit, order, **PHONE)
    page.context.set_offline(True)
    notice = page.locator("#offline")
    expect(notice).to_be_visible()
    box, dock = notice.bounding_box(), page.locator("#dock").bounding_box()
    assert box is not None
    assert dock is not None
    assert box["y"] + box["height"] <= dock["y"]
    page.context.set_offline(False)
    expect(notice).to_be_hidden()


def test_a_beat_changes_the_pulse_and_leaves_the_page_alone(
    visit: Any, order: ApprovalRequest
) -> None:
    now = timezone.now()
    Heartbeat.objects.update(
        last_beat_at=now - timedelta(seconds=90), beats=5, next_beat_at=now + timedelta(seconds=5)
    )
    page = open_order(visit, order)
    expect(page.locator("#pulse")).to_contain_text("AWS took 5 beats")
    page.evaluate("document.getElementById('panel').dataset.same = 'yes'")
    Heartbeat.objects.update(last_beat_at=now, beats=6, next_beat_at=now + timedelta(seconds=100))
    look(page)
    expect(page.locator("#pulse")).to_contain_text("AWS took 6 beats")
    expect(page.locator("#panel[data-same]")).to_have_count(1)
    Heartbeat.objects.update(next_beat_at=now - timedelta(seconds=90))
    look(page)
    expect(page.locator("#pulse")).to_contain_text("Heartbeat late")
    expect(page.locator(".pulse-dot")).to_have_count(0)
