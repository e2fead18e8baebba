"""A reviewer who turns to German decides in it, and its longer words have room."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from approvals.models import ApprovalRequest, Decision, User
from tests.browser.conftest import Visitor
from tests.browser.house import House
from tests.browser.screens import SCREENS, WORDED, opened
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
#: Where words stand close: each page once, and nothing pressed but disclosures.
CLOSE = [
    each
    for each in [*SCREENS, *WORDED]
    if each.then in (None, opened) and each.status == 200 and each.who
]


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


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_a_reviewer_turns_to_german_and_approves_in_it(
    visit: Any, order: ApprovalRequest, options: dict[str, Any]
) -> None:
    visitor: Visitor = visit(**options)
    page: Page = visitor.sign_in("anna")
    visitor.go("/preferences/")
    page.get_by_label("Language").select_option(label="Deutsch")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Ihre Einstellungen sind gespeichert.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")

    visitor.go("/requests/?view=needs-me")
    expect(page.get_by_role("heading", name="Wartet auf mich")).to_be_visible()
    page.get_by_role("link", name="Release order NO-10428").click()
    expect(page.get_by_text("Was als Nächstes geschieht")).to_be_visible()
    page.get_by_role("button", name="4.597,00 € genehmigen").locator("visible=true").first.click()
    expect(page.get_by_role("heading", name="Genehmigt von")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("hat dies genehmigt")
    assert Decision.objects.get().reviewer.username == "anna"
    assert not visitor.complaints


def test_scripts_speak_german_too(visit: Any, order: ApprovalRequest, anna: User) -> None:
    anna.language = "de"
    anna.save(update_fields=["language"])
    visitor: Visitor = visit()
    page: Page = visitor.sign_in("anna")
    visitor.go(order.get_absolute_url())
    page.keyboard.press("a")
    expect(page.locator("#chosen")).to_have_text(
        "„Genehmigen“ ist gewählt. Strg+Eingabe sendet die Entscheidung."
    )
    expect(page.locator("#history time").first).to_contain_text("vor ")
    page.wait_for_timeout(1_100)  # the ticker has said it once more
    expect(page.locator("#history time").first).to_contain_text("vor ")


@pytest.mark.parametrize("width", [1440, 390])
def test_german_words_have_room_on_every_page(
    chromium: Browser, live_server: LiveServer, width: int
) -> None:
    house = House()
    User.objects.update(language="de")
    size = {"width": width, "height": 900}
    page = chromium.new_page(viewport=size, base_url=live_server.url)
    wide: list[str] = []
    for screen in CLOSE:
        _enter(page, house, screen.who, live_server.url)
        page.goto("about:blank")  # ends the polling of the page before
        page.goto(screen.address(house))
        expect(page.locator("html")).to_have_attribute("lang", "de")
        if screen.then:
            page.evaluate(
                "for (const each of document.querySelectorAll('details')) each.open = true"
            )
        wide += [f"{screen.name}: {each}" for each in page.evaluate(_WIDE)]
    page.close()
    assert wide == []


#: The page itself, and whatever button or tag its words do not fit into.
_WIDE = """() => {
  const found = document.documentElement.scrollWidth > innerWidth
    ? [`the page is ${document.documentElement.scrollWidth} px wide`] : [];
  for (const each of document.querySelectorAll(".btn, .tag, .chip, .view-name, th, dt")) {
    if (each.checkVisibility() && each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
      found.push(`${each.className || each.tagName} "${each.textContent.trim()}"`);
  }
  return found;
}"""


def _enter(page: Page, house: House, who: str, url: str) -> None:

    client = Client()
    client.force_login(house.people[who])
    name = settings.SESSION_COOKIE_NAME
    page.context.clear_cookies()
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
