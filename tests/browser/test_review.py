"""Reviewing in Chromium, under the strict policy for contents."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from approvals import lifecycle
from approvals.models import ApprovalRequest, Decision, User
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(
        anna,
        make_user("bert"),
        kind="order",
        title="Release order NO-10428",
        payload={"order_id": "NO-10428", "currency": "EUR", "totals": {"total": "4597.00"}},
        timeout_seconds=3_600,
    )


def test_a_reviewer_signs_in_opens_and_approves_by_a_button_that_names_the_effect(
    visit: Any, order: ApprovalRequest
) -> None:
    page = visit().sign_in("anna")
    page.get_by_role("link", name="Release order NO-10428").click()
    page.get_by_role("button", name="Approve €4,597.00").first.click()
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("approved this")
    expect(page.locator("#decide-form")).to_have_count(0)
    assert Decision.objects.get().reviewer.username == "anna"


def test_a_rejection_without_a_comment_says_what_is_missing_and_keeps_the_page(
    visit: Any, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator(".err")).to_have_text("Say why you reject; the function receives it.")
    page.get_by_label("Comment").fill("The address is wrong")
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_role("heading", name="Rejected by Anna, sending…")).to_be_visible()
    assert Decision.objects.get().comment == "The address is wrong"


def test_enter_in_a_field_decides_nothing(visit: Any, anna: User) -> None:
    schema = {"type": "object", "properties": {"why": {"type": "string", "maxLength": 50}}}
    row = make_request(anna, response_schema=schema)
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(row.get_absolute_url())
    page.get_by_label("Why").fill("because")
    page.get_by_label("Why").press("Enter")
    page.reload()
    expect(page.get_by_role("button", name="Approve").first).to_be_visible()
    assert not Decision.objects.exists()


def test_everything_works_without_javascript(visit: Any, order: ApprovalRequest) -> None:
    page = visit(java_script_enabled=False).sign_in("anna")
    page.get_by_role("link", name="Release order NO-10428").click()
    page.get_by_role("button", name="I am on it").click()
    expect(page.get_by_text("You are on it; others see that.")).to_be_visible()
    page.get_by_role("button", name="Reject").first.click()
    expect(page.locator(".err")).to_have_text("Say why you reject; the function receives it.")
    page.get_by_role("button", name="Approve €4,597.00").first.click()
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    expect(page.locator("#panel").get_by_role("link", name="Refresh")).to_be_visible()


def test_who_comes_second_reads_who_was_faster_and_still_has_the_comment(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("bert")
    visitor.go(order.get_absolute_url())
    page.get_by_label("Comment").fill("Out of stock")
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_text("Somebody was faster.")).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("Anna approved this at")
    expect(page.get_by_label("Your comment, not sent")).to_have_value("Out of stock")
    assert Decision.objects.count() == 1


def test_a_page_left_open_tells_by_itself_and_keeps_what_was_typed(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("bert")
    visitor.go(order.get_absolute_url())
    page.get_by_label("Comment").fill("Out of stock")
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("Out of stock")


def test_the_queue_tells_of_new_requests_without_moving_rows(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    page = visit().sign_in("anna")
    make_request(anna, title="Came later", timeout_seconds=600)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_text("1 new request")).to_be_visible()
    expect(page.get_by_role("link", name="Came later")).to_have_count(0)
    page.get_by_role("link", name="1 new request").click()
    expect(page.get_by_role("link", name="Came later")).to_be_visible()


def test_presence_is_shown_to_others_without_touching_the_form(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("bert")
    visitor.go(order.get_absolute_url())
    page.get_by_label("Comment").fill("Half a thought")
    lifecycle.claim(order.pk, reviewer=anna)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_text("Anna is looking at this")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("Half a thought")


HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    '<a href="javascript:document.title=\'owned\'" hx-get="/" hx-trigger="load">x</a>',
    "{{ 7|add:7 }}[x](javascript:document.title='owned')",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("policy", [True, False])
def test_what_a_stranger_wrote_runs_nowhere(
    visit: Any, anna: User, text: str, policy: bool
) -> None:
    anna.first_name = text[:140]
    anna.save(update_fields=["first_name"])
    row = make_request(
        anna,
        title=text,
        summary=text,
        payload={text: text, "list": [{text: text}]},
        risk={"score": 90, "reasons": [{"text": text, "points": 9}], "scored_by": text},
        checks=[{"text": text, "passed": False}],
        effects=[{"label": text, "before": text, "after": text}],
        if_approved=text,
        if_rejected=text,
        if_nobody=text,
        links=[{"label": text, "url": "https://example.com/"}],
        response_schema={
            "type": "object",
            "properties": {"f": {"type": "string", "title": text, "description": text}},
        },
    )
    visitor = visit(bypass_csp=not policy)
    page = visitor.sign_in("anna")
    expect(page.get_by_role("listitem").filter(has_text="risk").first).to_be_visible()
    visitor.go(row.get_absolute_url())
    page.get_by_label("Comment").fill(text)
    page.locator("#decide-form button[value=rejected]").click()
    expect(page.locator("#panel")).to_contain_text("Rejected by")
    page.wait_for_load_state("networkidle")
    assert "owned" not in page.title().replace(text[:200], "")
    assert page.locator("#main script, #main img, [onload], [onerror]").count() == 0
    assert page.locator('#main [href^="javascript"]').count() == 0
