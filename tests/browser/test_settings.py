"""An admin's day with sources and kinds in Chromium, with and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import CallbackSource, RequestKind, SourceSecret, User
from approvals.models.source import secret_bytes
from tests.factories import make_kind, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ARN = "arn:aws:lambda:eu-north-1:123456789012:function:refunds"


@pytest.fixture
def mara() -> User:
    make_team("finance")
    make_kind("refund", label="Refund")
    return make_user("mara", role="admin")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_admin_makes_a_source_rotates_its_secret_and_changes_a_kind(
    visit: Any, mara: User, scripts: bool
) -> None:
    page = visit(java_script_enabled=scripts).sign_in("mara")
    page.get_by_role("link", name="Sources").click()
    first = _make_source(page, scripts)
    second = _rotate(page)
    assert first != second
    reveals = [row.reveal() for row in SourceSecret.objects.order_by("pk")]
    assert reveals == [secret_bytes(first), secret_bytes(second)]
    _change_kind(page)
    kind = RequestKind.objects.get(slug="refund")
    assert (kind.timeout_seconds, kind.required_approvals) == (86_400, 2)
    assert [str(row) for row in kind.requirements.all()] == ["1 of finance"]


def _make_source(page: Page, scripts: bool) -> str:
    page.get_by_role("link", name="New source").first.click()
    page.get_by_label("Name", exact=True).fill("Refunds")
    page.get_by_label("Name in addresses").fill("refunds")
    page.get_by_label("Region").fill("Stockholm")
    page.get_by_label("Functions").fill(ARN)
    page.get_by_label("finance").check()
    page.get_by_role("button", name="Make the source").click()
    expect(page.locator(".field--bad .err")).to_have_text(
        "Write a region of AWS, such as eu-north-1."
    )
    if scripts:
        expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Functions")).to_have_value(ARN)
    page.get_by_label("Region").fill("eu-north-1")
    page.get_by_role("button", name="Make the source").click()
    expect(page.get_by_role("heading", name="Refunds is made.")).to_be_visible()
    copy = page.get_by_role("button", name="Copy the signing secret")
    expect(copy).to_be_visible() if scripts else expect(copy).to_be_hidden()
    secret = page.locator("#new-secret").inner_text()
    page.get_by_role("link", name="Sources", exact=True).first.click()
    page.get_by_role("link", name="Refunds").click()
    expect(page.locator("#new-secret")).to_have_count(0)
    assert secret not in page.content()
    assert CallbackSource.objects.get().default_groups.get().name == "finance"
    return secret


def _rotate(page: Page) -> str:
    page.get_by_text("New signing secret…").click()
    page.get_by_label("The former ones end").first.select_option("hour")
    page.get_by_role("button", name="Make the secret").click()
    expect(page.get_by_role("heading", name="The new secret counts now.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Secret .* in 59 min|in 1 h"))).to_have_count(1)
    return page.locator("#new-secret").inner_text()


def _change_kind(page: Page) -> None:
    page.get_by_role("link", name="Kinds").click()
    page.get_by_role("link", name="Refund").click()
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Time to decide").fill("24")
    page.get_by_label("Approvals in all").fill("2")
    page.get_by_label("of the team").first.select_option("finance")
    page.get_by_role("button", name="Save the changes").click()
    expect(page.locator(".field--bad .err")).to_contain_text("Write a number and a unit")
    page.get_by_label("Time to decide").fill("24 h")
    page.get_by_role("button", name="Save the changes").click()
    expect(
        page.get_by_text("Refund is changed, for requests that come from now on.")
    ).to_be_visible()
