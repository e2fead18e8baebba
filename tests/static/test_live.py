"""htmx with our script in a real browser, under the policy of production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import override_settings
from playwright.sync_api import Browser, Page, Route

from approvals.models.rights import Rights
from tests.static.files import STATIC

ORIGIN = "http://countersign.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
PAGE = """{% extends "base.html" %}{% block main %}
<button id="claim" hx-post="/claim" hx-target="#panel">Claim</button>
<div id="poll" hx-get="/pulse" hx-trigger="every 100ms, awake from:body" hx-ptag="one"></div>
<div id="panel">
  <div hx-ignore><button id="bait" hx-post="/bait" type="button">Approve</button></div>
</div>
{% endblock %}"""


class Reviewer:
    is_authenticated = True
    rights = Rights()

    def get_full_name(self) -> str:
        return "Mara Lindqvist"

    def get_username(self) -> str:
        return "mara"


def drawn_page() -> str:
    request = SimpleNamespace(user=Reviewer(), COOKIES={})
    context = Context({"request": request, "csrf_token": "TOKEN"})
    with override_settings(STORAGES=PLAIN):
        return Template(PAGE).render(context)


class Portal:
    """Answers the browser; remembers what it was asked."""

    def __init__(self) -> None:
        self.page = drawn_page()
        self.seen: list[tuple[str, dict[str, str]]] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path.startswith("/static/"):
            route.fulfill(path=STATIC / Path(path).relative_to("/static"))
            return
        self.seen.append((path, route.request.headers))
        if path == "/":
            headers = {"content-type": "text/html", "content-security-policy": POLICY}
            route.fulfill(body=self.page, headers=headers)
        elif path == "/claim":
            panel = '<p tabindex="-1" data-focus id="said">Somebody was faster</p>'
            route.fulfill(status=422, content_type="text/html", body=panel)
        else:
            route.fulfill(status=304, headers={"hx-ptag": "two"})

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for at, headers in self.seen if at == path]


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[tuple[Page, Portal, list[str]]]:
    portal, complaints = Portal(), list[str]()
    page = chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", portal.answer)
    page.goto(f"{ORIGIN}/")
    yield page, portal, complaints
    page.close()


pytestmark = pytest.mark.browser
Opened = tuple[Page, Portal, list[str]]


def test_polling_sends_the_tag_it_was_given_and_says_that_it_is_live(opened: Opened) -> None:
    page, portal, _complaints = opened
    page.get_by_text("Live", exact=True).wait_for()
    with page.expect_request(lambda request: request.headers.get("hx-ptag") == "two"):
        pass
    assert portal.asked("/pulse")[0]["hx-ptag"] == "one"


def test_a_request_outside_a_form_carries_the_token_and_a_422_takes_the_focus(
    opened: Opened,
) -> None:
    page, portal, _complaints = opened
    page.click("#bait")
    page.click("#claim")
    page.wait_for_selector("#said")
    assert portal.asked("/claim")[0]["x-csrftoken"] == "TOKEN"
    assert page.evaluate("document.activeElement.id") == "said"
    assert portal.asked("/bait") == []


def test_a_hidden_tab_does_not_poll_and_a_seen_one_catches_up(opened: Opened) -> None:
    page, portal, _complaints = opened
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
    )
    page.wait_for_timeout(150)
    before = len(portal.asked("/pulse"))
    page.wait_for_timeout(400)
    assert len(portal.asked("/pulse")) == before
    with page.expect_response(f"{ORIGIN}/pulse"):
        page.evaluate(
            "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_the_chosen_scheme_is_a_cookie_the_server_can_read(opened: Opened) -> None:
    page, _portal, _complaints = opened
    page.click("[data-scheme-toggle]")
    chosen = page.evaluate("document.documentElement.dataset.theme")
    assert f"scheme={chosen}" in page.evaluate("document.cookie")


def test_the_policy_was_never_violated(opened: Opened) -> None:
    _page, _portal, complaints = opened
    assert [text for text in complaints if "422" not in text] == []
