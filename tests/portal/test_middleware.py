"""Programs pass by what pages need; what protects everybody stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from approvals.models import ApprovalRequest
from tests.factories import make_request, make_user
from tests.intake.sender import make_sender

HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
           "X-Frame-Options", "Cross-Origin-Opener-Policy")  # fmt: skip


def parts(policy: str) -> set[str]:
    return {part.strip() for part in policy.split(";")}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/sources/x/requests", "/api/v1/requests"])
def test_a_program_gets_the_headers_a_page_gets(client: Client, path: str) -> None:
    page = client.get("/accounts/login/")
    for _ in range(2):
        answer = client.get(path)
        assert answer.status_code == 401
        for name in HEADERS:
            assert parts(answer.headers[name]) == parts(page.headers[name]), name


@pytest.mark.django_db
def test_a_cookie_means_nothing_to_a_program_and_is_not_looked_up(
    client: Client, django_assert_num_queries: Any
) -> None:
    anna = make_user("anna")
    client.force_login(anna)
    with django_assert_num_queries(0):
        answer = client.get("/api/v1/requests")
    assert answer.status_code == 401
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert not answer.cookies


@pytest.mark.django_db
def test_pages_still_refuse_forms_of_strangers() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/accounts/login/", {"login": "a", "password": "b"}).status_code == 403


@pytest.mark.django_db
def test_a_program_needs_no_csrf_token() -> None:
    make_user("anna")
    sender = make_sender()
    sender.client = Client(enforce_csrf_checks=True)
    assert sender.open().status_code == 201


@pytest.mark.django_db
def test_a_program_is_told_nothing_at_a_foreign_host(client: Client) -> None:
    answer = client.get("/api/v1/requests", headers={"host": "evil.example"})
    assert answer.status_code == 400


def test_every_middleware_is_the_one_it_stands_for() -> None:
    """Django's own checks, and others', look for these by their class."""
    listed = [import_string(path) for path in settings.MIDDLEWARE]
    classes = [each for each in listed if isinstance(each, type)]
    for path in (
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "csp.middleware.CSPMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "django_structlog.middlewares.RequestMiddleware",
    ):
        assert sum(issubclass(each, import_string(path)) for each in classes) == 1, path


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
    ],
)
def test_a_request_is_one_line_with_its_id_and_the_callers_address(
    client: Client, capsys: Any, settings: Any, *, proxies: int, forwarded: str, seen: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    settings.LOG_LEVEL = "INFO"
    client.get("/api/v1/requests", headers={"x-forwarded-for": forwarded})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[:1] == "{"]
    [line] = [line for line in lines if str(line["event"]).startswith("request_")]
    assert (line["event"], line["level"]) == ("request_finished", "warning")
    assert line["request_id"]
    assert (line["ip"], line["code"]) == (seen, 401)


@pytest.mark.django_db
def test_a_programs_line_is_struck_and_obeys_the_level(
    client: Client, capsys: Any, settings: Any
) -> None:
    key = "csk_" + "k" * 43
    settings.LOG_LEVEL = "INFO"
    client.get(f"/api/v1/requests?token={key}")
    said = capsys.readouterr().err
    assert "request_finished" in said
    assert key not in said
    settings.LOG_LEVEL = "ERROR"
    Client().get("/api/v1/requests")
    assert "request_finished" not in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_a_request_is_opened_in_three_statements(django_assert_num_queries: Any) -> None:
    anna = make_user("anna")
    make_request(anna)
    sender = make_sender()
    with django_assert_num_queries(3):
        assert sender.open(assignees={"users": ["anna"]}).status_code == 201
    assert ApprovalRequest.objects.count() == 2
