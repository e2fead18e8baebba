"""Operating requests in Chromium: by htmx, and with JavaScript off."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, User
from approvals.states import Cause, Channel, DeliveryState, Verdict
from tests.factories import make_kind, make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    make_user("olu", role="operator")
    make_user("bert")
    return make_request(anna, title="Release order NO-10428", timeout_seconds=3_600)


def opened(visit: Any, order: ApprovalRequest, *, script: bool) -> Any:
    """The operator's forms: in the request's page, or on their own without JavaScript."""
    visitor = visit(java_script_enabled=script)
    visitor.sign_in("olu")
    page = visitor.go(order.get_absolute_url())
    page.locator("#operate > summary").click()
    if not script:
        page.get_by_role("link", name="Ask others, take it back, or force an answer").click()
    return page


@pytest.mark.parametrize("script", [True, False])
def test_no_single_press_forces_an_answer(visit: Any, order: ApprovalRequest, script: bool) -> None:
    page = opened(visit, order, script=script)
    page.get_by_text("Force an answer…").click()
    form = page.locator("form[action$='/force/']")
    form.get_by_label("Reason").fill("Nobody is in.")
    form.get_by_label("Approve").check()
    if script:  # the browser itself asks for the tick
        form.evaluate("form => form.noValidate = true")
        form.get_by_role("button", name="Force this answer").click()
        expect(page.get_by_text("Tick this to force an answer").first).to_be_visible()
        expect(page.get_by_label("Approve")).to_be_checked()
        assert not Decision.objects.exists()
    page.get_by_label("I force this for everybody").check()
    page.get_by_role("button", name="Force this answer").click()
    expect(
        page.get_by_role("heading", name="Approved, forced by an operator: Olu, sending…")
    ).to_be_visible()
    expect(page.locator("#panel")).to_contain_text("Nobody is in.")
    assert Decision.objects.get().cause == Cause.OPERATOR


@pytest.mark.parametrize("script", [True, False])
def test_an_operator_asks_somebody_in_the_place_of_another(
    visit: Any, order: ApprovalRequest, script: bool
) -> None:
    page = opened(visit, order, script=script)
    page.get_by_text("Ask others…").click()
    page.get_by_label("Ask", exact=True).select_option("Bert (bert)")
    page.get_by_label("In which place").select_option("Instead of Anna")
    form = page.locator("form[action$='/reassign/']")
    form.get_by_label("Reason").fill("Anna is away.")
    form.get_by_role("button", name="Ask them").click()
    expect(page.get_by_text("bert is asked now.")).to_be_visible()
    expect(page.locator("#panel")).to_contain_text("Bert can decide this.")
    expect(page.locator("#history")).to_contain_text("Anna is away.")


def test_who_comes_second_reads_it_beside_the_forms(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    page = opened(visit, order, script=True)
    page.get_by_text("Take it back…").click()
    page.locator("form[action$='/take-back/']").get_by_label("Reason").fill("Sent twice.")
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Anna approved this at")


@pytest.mark.parametrize("script", [True, False])
def test_a_reason_for_rejecting_is_enough(visit: Any, anna: User, script: bool) -> None:
    make_kind("payment", reject_reasons=["Wrong address", "Not in budget"])
    payment = make_request(anna, kind="payment")
    visitor = visit(java_script_enabled=script)
    visitor.sign_in("anna")
    page = visitor.go(payment.get_absolute_url())
    page.get_by_label("Reason for rejecting").select_option("Not in budget")
    page.get_by_role("button", name="Reject").first.click()
    expect(page.get_by_role("heading", name="Rejected by Anna, sending…")).to_be_visible()
    assert Decision.objects.get().comment == "Not in budget"


@pytest.mark.parametrize("script", [True, False])
def test_ticked_answers_are_sent_again(
    visit: Any, anna: User, order: ApprovalRequest, script: bool
) -> None:
    for row in (order, make_request(anna, title="Release order NO-2")):
        lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    CallbackDelivery.objects.update(
        state=DeliveryState.UNDELIVERABLE,
        last_reply="refused",
        detail="AccessDeniedException: No.",
        settled_at=database_now(),
    )
    visitor = visit(java_script_enabled=script)
    visitor.sign_in("olu")
    page = visitor.go("/operations/deliveries/")
    page.get_by_label("Tick Release order NO-2").check()
    page.locator("#many").get_by_label("Reason").fill("Rights mended.")
    page.get_by_role("button", name="Send the ticked ones again").click()
    expect(page.get_by_text("1 answer is sent again now.")).to_be_visible()
    assert CallbackDelivery.objects.filter(state=DeliveryState.PENDING).count() == 1
