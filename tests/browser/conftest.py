"""A real Chromium before the real pages; any line of the console about the CSP fails a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

PASSWORD = "a long enough password"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            # The live server finds static files where they lie; none were collected.
            item.add_marker(pytest.mark.filterwarnings("ignore:No directory at"))


@pytest.fixture(autouse=True)
def unlimited_sign_in(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}


class Visitor:
    """A browser with its own cookies at the live server, and what its console said."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def _listen(self, message: ConsoleMessage) -> None:
        text = message.text
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        self.page.goto(self.base_url + path)
        return self.page

    def sign_in(self, username: str) -> Page:
        self.go("/accounts/login/")
        self.page.locator("[name=login]").fill(username)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/requests/**")
        return self.page


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Any]:
    """Make visitors: `visit(java_script_enabled=False, viewport=...)`."""
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        visitor = Visitor(context, live_server.url)
        visitors.append(visitor)
        return visitor

    yield make
    complaints = [line for visitor in visitors for line in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []
