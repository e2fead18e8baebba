"""What a first visit costs, as it is deployed: collected, hashed, compressed, nothing cached."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Response

from approvals.models import ApprovalRequest, User
from tests.browser.papers import order
from tests.factories import make_request, make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

BUDGET = 60_000  # bytes, in all, without what users put in
DEPLOYED = {"staticfiles": {"BACKEND": "portal.storage.JoinedStorage"}}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    room = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=str(room), STORAGES=DEPLOYED):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
        yield room


@pytest.fixture
def served(collected: Path, transactional_db: None) -> Iterator[str]:
    """The portal with WhiteNoise in front of the collected files, as in production."""
    thread = LiveServerThread("127.0.0.1", static_handler=lambda application: application)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


class Bill:
    """What came over the wire, by path. Pages count as the proxy compresses them."""

    def __init__(self, responses: list[Response]) -> None:
        self.sizes: dict[str, int] = {}
        self.plain: list[str] = []
        for response in responses:
            if response.status < 300:
                self._count(response, urlsplit(response.url).path)

    def _count(self, response: Response, path: str) -> None:
        heads = sum(len(f"{name}: {value}\r\n") for name, value in response.headers.items())
        if not path.startswith("/static/"):
            self.sizes[path] = heads + len(gzip.compress(response.body(), 6))
            return
        sent = int(response.headers["content-length"])
        self.sizes[path] = heads + sent
        if "content-encoding" not in response.headers and sent > 1_000:
            self.plain.append(path)

    @property
    def total(self) -> int:
        return sum(self.sizes.values())

    def __str__(self) -> str:
        lines = sorted(self.sizes.items(), key=lambda each: -each[1])
        return "\n".join(f"{size:7,} {path}" for path, size in lines)


@pytest.fixture
def asked() -> ApprovalRequest:
    anna = make_user("anna")
    make_user("olu", role="operator")
    return make_request(anna, **order())


@pytest.mark.parametrize("name", ["sign-in", "queue", "beside", "request", "operations"])
def test_a_first_visit_stays_within_sixty_kilobytes(
    chromium: Browser, served: str, asked: ApprovalRequest, name: str
) -> None:
    who, path = {
        "sign-in": ("", "/accounts/login/"),
        "queue": ("anna", "/requests/?view=needs-me"),
        "beside": ("anna", f"{asked.get_absolute_url()}?view=needs-me"),
        "request": ("anna", asked.get_absolute_url()),
        "operations": ("olu", "/operations/callbacks/"),
    }[name]
    context = chromium.new_context()
    if who:
        context.add_cookies([cookie_of(who, served)])
    page = context.new_page()
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))  # noqa: PLW0108
    page.goto(served + path)
    page.wait_for_load_state("networkidle")
    bill = Bill(responses)
    context.close()
    assert bill.plain == [], "served without compression"
    assert any(path.endswith(".svg") for path in bill.sizes), "no icons were asked for"
    assert bill.total <= BUDGET, f"{bill.total:,} bytes\n{bill}"


def cookie_of(who: str, address: str) -> Any:
    client = Client()
    client.force_login(User.objects.get(username=who))
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": address}
