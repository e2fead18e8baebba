"""Twice as large, on paper, without motion: the same page, whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.house import House
from tests.browser.screens import SCREENS, filled
from tests.browser.test_axe import Walk

pytestmark = pytest.mark.django_db(transaction=True)

#: A window of 1440 x 900 at 200 %.
TWICE = {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2}
PAPER = {"viewport": {"width": 794, "height": 1123}}  # A4 at 96 dpi
PAGES = [
    *("queue", "beside", "filter-page", "order", "editable", "edits", "talk", "late", "generic"),
    *("callbacks", "deliveries", "operate", "preferences", "sign-in"),
]
#: What hides a part of its words and neither scrolls nor says so by an ellipsis.
_CUT = """() => [...document.querySelectorAll("body *")]
  .filter((el) => el.checkVisibility({ visibilityProperty: true }) && !el.closest(".vh"))
  .filter((el) => !el.matches("svg, svg *, textarea, input, select") && el.textContent.trim())
  .filter((el) => {
    const style = getComputedStyle(el);
    const hides = (side) => ["hidden", "clip"].includes(style[`overflow${side}`]);
    const clamped = style.webkitLineClamp !== "none" || style.textOverflow === "ellipsis";
    return !clamped && ((hides("X") && el.scrollWidth > el.clientWidth + 1)
      || (hides("Y") && el.scrollHeight > el.clientHeight + 1));
  })
  .map((el) => `${el.tagName}.${el.className} cuts "${el.textContent.trim().slice(0, 40)}"`)"""
_MOVING = """() => [...document.querySelectorAll("*")].flatMap((el) =>
  [null, "::before", "::after"].map((part) => [el, getComputedStyle(el, part)]))
  .filter(([, style]) => style.animationName !== "none"
    || style.transitionDuration.split(", ").some((each) => parseFloat(each) > 0))
  .map(([el]) => `${el.tagName}.${el.getAttribute("class")}`)"""


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def walk(chromium: Browser, live_server: LiveServer, house: House) -> Iterator[Any]:
    contexts = []

    def begin(**options: Any) -> Walk:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        return Walk(context.new_page(), live_server.url, house)

    yield begin
    for context in contexts:
        context.close()


def enter(walk: Walk, name: str) -> Page:
    walk.enter(next(screen for screen in SCREENS if screen.name == name))
    return walk.page


def test_at_twice_the_size_nothing_overflows_and_nothing_is_cut(walk: Any) -> None:
    visitor = walk(**TWICE)
    for name in PAGES:
        page = enter(visitor, name)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 720:
            visitor.complain(f"overflows to {width} px")
        visitor.complain(*page.evaluate(_CUT))
    assert not visitor.complaints, "\n".join(visitor.complaints)


def test_without_motion_nothing_moves(walk: Any) -> None:
    visitor = walk()
    page = enter(visitor, "order")
    assert page.evaluate("document.getAnimations().length"), "the pulse should beat"
    page.evaluate("document.adoptedStyleSheets = []")  # the walk's own ends transitions
    assert page.evaluate(_MOVING), "something should move"
    for name in ("order", "queue", "beside-toast", "callbacks", "preferences", "sending"):
        page.emulate_media(reduced_motion="reduce")
        page = enter(visitor, name)
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("document.adoptedStyleSheets = []")
        assert page.evaluate("document.getAnimations().length") == 0, name
        assert page.evaluate(_MOVING) == [], name


def test_on_paper_a_request_is_all_there_and_the_portal_is_not(walk: Any) -> None:
    visitor = walk(**PAPER)
    for name in ("order", "beside", "edits", "delivered", "talk", "editable", "callbacks"):
        page = enter(visitor, name)
        page.emulate_media(media="print")
        for what in (".rail", ".topbar", ".dock", ".toasts", ".offline", ".pager", "form", ".skip"):
            for found in page.locator(what).all():
                expect(found, f"{name}: {what}").to_be_hidden()
        for what in (".subject", "#decision", ".payload", "#history"):
            for found in page.locator(what).all()[:1]:
                expect(found, f"{name}: {what}").to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 794, f"{name} is {width} px wide"
        page.emulate_media(media="screen")


def test_on_paper_moments_are_whole_and_what_was_changed_stands_open(walk: Any) -> None:
    page = enter(walk(**PAPER), "edits")
    expect(page.locator("#history .marked").first).to_be_visible()  # opened by the screen
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = false")
    expect(page.locator("#history .marked").first).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("#history .marked").first).to_be_visible()
    moment = page.locator("#history time").first
    after = "el => getComputedStyle(el, '::after').content"
    assert moment.evaluate(after) == f'"{moment.get_attribute("title")}"'


def test_a_pdf_of_a_request_is_a_few_pages(walk: Any) -> None:
    page = enter(walk(), "order")
    pdf = page.pdf(format="A4")
    assert 1 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 4


def test_what_is_filled_in_is_compared_in_forced_colours_too(walk: Any, house: House) -> None:
    visitor = walk()
    page = enter(visitor, "editable")
    page.emulate_media(forced_colors="active")
    filled(page, house)
    line = "el => getComputedStyle(el).textDecorationLine"
    assert page.locator("[data-compared] del").first.evaluate(line) == "line-through"
    assert page.locator("[data-compared] ins").first.evaluate(line) == "underline"
