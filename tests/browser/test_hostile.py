"""Whatever a sender writes, the page stays whole, says nothing on its console and runs nothing.

The policy for contents is switched off, so that what keeps scripts out is the page itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from approvals.models import User
from tests.browser.hostile import BIDI, HOSTILE, NUMBERS
from tests.factories import make_kind, make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (1440, 390, 320)
#: What a page of somebody's would do that was taken in.
_TAKEN_IN = """() => [
  ...("ran" in window ? ["a script ran"] : []),
  ...[...document.querySelectorAll("#ran, iframe, img, object, [autofocus], [onerror], [onload]")]
    .map((el) => `an element of theirs: ${el.outerHTML.slice(0, 80)}`),
  ...[...document.querySelectorAll("a[href], form[action]")]
    .map((el) => el.getAttribute("href") ?? el.getAttribute("action"))
    .filter((to) => !/^(https:|mailto:|[/#?])/.test(to) || to.startsWith("//"))
    .map((to) => `leads to ${to}`),
  ...[...document.scripts].filter((each) => !each.src.startsWith(location.origin))
    .map((each) => `a script of theirs: ${each.outerHTML.slice(0, 80)}`),
]"""

#: What stands out at the side, but for what scrolls by itself.
_TOO_WIDE = """(width) => [...document.querySelectorAll("main *, dialog *, .dock *")]
  .filter((el) => el.getBoundingClientRect().right > width + 1)
  .filter((el) => !el.closest(".table-wrap, pre"))
  .map((el) => `${el.tagName}.${el.className} in .${el.parentElement.className}`).slice(0, 6)"""


class Reader:
    """One person's browser without a policy for contents, and what there was to complain about."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.page: Page = context.new_page()
        self.base_url = base_url
        self.complaints: list[str] = []
        self.page.on("console", lambda line: self.complaints.append(f"{line.type}: {line.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", self._meet)

    def _meet(self, request: Any) -> None:
        if not request.url.startswith((self.base_url, "about:", "data:,")):
            self.complaints.append(f"asks {request.url[:80]}")

    def look(self, path: str) -> list[str]:
        """What is wrong with the page at PATH, at every width, with all of it opened."""
        self.page.goto(self.base_url + path)
        self.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if self.page.evaluate("document.documentElement.scrollWidth") > width:
                self.complaints.append(f"at {width} px: {self.page.evaluate(_TOO_WIDE, width)}")
        return [*self.complaints, *self.page.evaluate(_TAKEN_IN)]


@pytest.fixture
def anna() -> User:
    make_kind("agent-action", label="Agent action")
    return make_user("anna")


@pytest.fixture
def reader(
    chromium: Browser, live_server: LiveServer, settings: Any, anna: User
) -> Iterator[Reader]:
    # Taken out and not only loosened: nothing but the page stands between.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csp" not in name.lower()]
    context = chromium.new_context(bypass_csp=True)
    context.set_default_timeout(60_000)
    client = Client()
    client.force_login(anna)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )
    yield Reader(context, live_server.url)
    context.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_stays_whole_quiet_and_nobody_elses(reader: Reader, anna: User, name: str) -> None:
    request = make_request(anna, **HOSTILE[name])
    assert reader.look(request.get_absolute_url()) == []
    assert reader.look("/requests/") == []


def test_what_would_be_taken_for_a_script_is_found(reader: Reader) -> None:
    """The test's own eyes: a page that was taken in would be told."""
    reader.page.goto(f"{reader.base_url}/requests/")
    reader.page.evaluate(
        """() => {
          const theirs = document.createElement("div");
          theirs.innerHTML = '<img src="x" onerror="window.ran = 1"><a href="javascript:1">';
          document.body.append(theirs);
        }"""
    )
    reader.page.wait_for_function("'ran' in window")
    assert len(reader.page.evaluate(_TAKEN_IN)) == 3


def test_hidden_characters_are_spelled_out(reader: Reader, anna: User) -> None:
    request = make_request(anna, title="Bidi", payload={"text": BIDI})
    reader.page.goto(reader.base_url + request.get_absolute_url())
    shown = reader.page.locator(".payload dd").first.inner_text()
    assert "[U+202E]yltcerrid ton[U+202C]" in shown
    assert "zero[U+200B]width" in shown


def test_numbers_beyond_a_float_are_shown_digit_for_digit(reader: Reader, anna: User) -> None:
    request = make_request(anna, **HOSTILE["numbers"])
    reader.page.goto(reader.base_url + request.get_absolute_url())
    fields = reader.page.locator(".payload").inner_text()
    for token in (
        "9007199254740993",
        "0.1000",
        "1e-300",
        "1234567890123456789012345678901234567890",
    ):
        assert token in NUMBERS
        assert token in fields
    assert reader.page.get_by_label("Tenth").input_value() == "0.1000"
