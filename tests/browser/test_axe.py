"""Every page is judged by axe-core: light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Error, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.house import House
from tests.browser.screens import SCREENS, Screen

pytestmark = pytest.mark.django_db(transaction=True)

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: The whole verdict in light; in dark nothing but colours can differ.
RULES = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
#: A link laid over its whole row hides the words below from axe, and what fades from one
#: colour to another has neither: pages are judged without both.
_PLAIN = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".row-link::after { display: none } * { transition: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
_JUDGE = """async (rules) => {
  const only = { resultTypes: ["violations"], iframes: false, preload: false };
  const found = await axe.run(document, { runOnly: rules, ...only });
  return found.violations.flatMap((each) =>
    each.nodes.map((node) => `${each.id}: ${node.target.join(" ")} ${node.any[0]?.message ?? ""}`));
}"""
#: What a thumb must hit; links inside a sentence are exempt (WCAG 2.5.8).
_SMALL = """() => {
  const hit = (el) => (el.closest("label") ?? el).getBoundingClientRect();
  const all = "a[href], button, summary, select, textarea, input:not([type=hidden])";
  return [...document.querySelectorAll(all)]
    .filter((el) => el.checkVisibility({ visibilityProperty: true }) && !el.disabled)
    .filter((el) => getComputedStyle(el).display !== "inline" || el.matches("input"))
    .filter((el) => !el.matches(".skip") && hit(el).height < 43.5)
    .map((el) => `${el.tagName} "${el.textContent.trim()}" is ${hit(el).height} px high`);
}"""


class Walk:
    """One browser on its way through the house, and what there was to complain about."""

    def __init__(self, page: Page, base_url: str, house: House) -> None:
        self.page, self.base_url, self.house = page, base_url, house
        self.complaints: list[str] = []
        self.here = Screen("start", "", "/")
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complain(f"script: {error}"))

    def complain(self, *words: str) -> None:
        self.complaints += [f"{self.here.name}: {each}" for each in words]

    def enter(self, screen: Screen) -> None:
        self.page.goto("about:blank")  # ends the polling of the page before
        self.here = screen
        self.page.context.clear_cookies()
        if screen.who:
            client = Client()
            client.force_login(self.house.people[screen.who])
            name = settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            cookie = {"name": name, "value": value, "url": self.base_url}
            self.page.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page.emulate_media(color_scheme="light")
        self.page.goto(self.base_url + screen.address(self.house))
        try:
            if screen.then:
                screen.then(self.page, self.house)
        except (AssertionError, Error) as error:
            self.complain(f"cannot be reached: {error}")
        self.page.wait_for_load_state()  # a form that led to a page has no styles at first
        self.page.evaluate(_PLAIN)

    def judge(self, size: str) -> None:
        for scheme, rules in RULES.items():
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.complain(*(f"{scheme}: {line}" for line in self.page.evaluate(_JUDGE, rules)))
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > SIZES[size]["viewport"]["width"]:
            self.complain(f"overflows to {width} px")
        if size == "phone":
            self.complain(*self.page.evaluate(_SMALL))

    def _listen(self, message: ConsoleMessage) -> None:
        meant = f"status of {self.here.status} " in message.text
        if message.type in ("error", "warning") and not meant:
            self.complain(message.text)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    tokens = import_module("approvals.review.views.tokens")
    page = tokens._page

    def broken(request: Any, *args: Any, **kwargs: Any) -> Any:
        if "broken" in request.GET:
            raise RuntimeError("A page of the portal broke.")
        if "away" in request.GET:
            raise OperationalError("The database is away.")
        return page(request, *args, **kwargs)

    monkeypatch.setattr(tokens, "_page", broken)
    return House()


@pytest.fixture
def begin(chromium: Browser, live_server: LiveServer, house: House) -> Iterator[Any]:
    contexts = []

    def walk(size: str) -> Walk:
        context = chromium.new_context(**SIZES[size])
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(path=AXE)
        return Walk(context.new_page(), live_server.url, house)

    yield walk
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_anything_axe_or_a_thumb_complains_about(begin: Any, size: str) -> None:
    walk = begin(size)
    for screen in SCREENS:
        if screen.only in ("", size):
            walk.enter(screen)
            walk.judge(size)
    assert not walk.complaints, "\n".join(walk.complaints)
