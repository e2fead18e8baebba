"""Edited before approving, in Chromium: the button names the edits it sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.canonical import NumberToken
from approvals.models import ApprovalRequest, CallbackDelivery, Decision
from tests.browser.papers import editable
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refund() -> ApprovalRequest:
    return make_request(make_user("anna"), **editable())


def approve(page: Page, words: str) -> None:
    page.locator("#decide-form").get_by_role("button", name=words, exact=True).click()


def test_edits_are_counted_on_the_button_and_reach_the_answer_with_their_types(
    visit: Any, refund: ApprovalRequest
) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(refund.get_absolute_url())
    page.get_by_label("Amount").fill("280.80")
    page.get_by_label("Items").fill("98765432109876543210")
    page.get_by_label("Restock").select_option("No")
    page.get_by_label("Body").fill("Dear Ingrid,\nwe refund 280.80.")
    page.get_by_label("Rate").fill("0.1250")
    expect(page.locator("[data-edits]")).to_contain_text("5 edits will be sent")
    page.get_by_role("button", name="Put back Rate").click()
    expect(page.get_by_label("Rate")).to_have_value("0.10")

    approve(page, "Approve with 4 edits")

    expect(page.get_by_role("heading", name="Approved by Anna with 4 edits")).to_be_visible()
    expect(page.locator(".changes del").first).to_contain_text("€312.00")
    expect(page.locator(".changes ins").first).to_contain_text("€280.80")
    assert Decision.objects.get().edits["/items"] == NumberToken("98765432109876543210")
    answer = CallbackDelivery.objects.get().body.decode()
    assert '"items":98765432109876543210' in answer
    final = json.loads(answer)["final_payload"]
    assert final["actions"][0]["arguments"]["amount"] == "280.80"
    assert final["actions"][1]["arguments"]["body"] == "Dear Ingrid,\nwe refund 280.80."
    assert final["restock"] is False


def test_an_untouched_form_sends_no_edit(visit: Any, refund: ApprovalRequest) -> None:
    visitor = visit()
    page = visitor.sign_in("anna")
    visitor.go(refund.get_absolute_url())
    approve(page, "Approve €312.00")
    expect(page.get_by_role("heading", name="Approved by Anna, sending…")).to_be_visible()
    assert Decision.objects.get().edits_text == ""


def test_without_javascript_the_edits_are_named_before_they_are_sent(
    visit: Any, refund: ApprovalRequest
) -> None:
    visitor = visit(java_script_enabled=False)
    page = visitor.sign_in("anna")
    visitor.go(refund.get_absolute_url())
    page.get_by_label("Amount").fill("280.80")
    approve(page, "Approve €312.00")
    expect(page.get_by_role("alert")).to_contain_text("You approve with 1 edit")
    expect(page.locator(".edit--on .edit-was")).to_contain_text("€312.00")
    assert not Decision.objects.exists()
    approve(page, "Approve with 1 edit")
    expect(page.get_by_role("heading", name="Approved by Anna with 1 edit")).to_be_visible()
    assert Decision.objects.get().edits == {"/actions/0/arguments/amount": "280.80"}
