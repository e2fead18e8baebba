"""A wrong installation says so at start, not when somebody meets it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import OperationalError

from approvals import checks


def ids(found: list) -> list[str]:
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("base_url", "debug", "secure", "expected"),
    [
        ("http://127.0.0.1:8000", True, False, []),
        ("http://localhost", True, False, []),
        ("https://a.example.com", False, True, []),
        ("https://a.example.com", True, True, ["countersign.E001"]),
        ("https://a.example.com", False, False, ["countersign.E002"]),
        ("http://127.0.0.1.example.com", True, False, ["countersign.E001", "countersign.E002"]),
    ],
)
def test_what_only_the_demo_may_do_is_refused_elsewhere(
    settings, base_url, debug, secure, expected
):
    settings.BASE_URL, settings.DEBUG, settings.SECURE = base_url, debug, secure
    assert ids(checks.check_exposure()) == expected


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://a.example.com", []),
        ("https://b.a.example.org", []),
        ("http://a.example.com", ["countersign.E003"]),
        ("https://c.example.com", ["countersign.E004"]),
    ],
)
def test_links_in_mails_must_lead_here_and_safely(settings, base_url, expected):
    settings.SECURE, settings.BASE_URL = True, base_url
    settings.ALLOWED_HOSTS = ["a.example.com", ".example.org"]
    assert ids(checks.check_base_url()) == expected


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (SimpleNamespace(vendor="postgresql", pg_version=150004), []),
        (SimpleNamespace(vendor="postgresql", pg_version=140011), ["countersign.E006"]),
        (SimpleNamespace(vendor="sqlite"), ["countersign.E005"]),
    ],
)
def test_only_a_postgresql_that_is_new_enough_will_do(monkeypatch, connection, expected):
    monkeypatch.setattr(checks, "connections", {"default": connection})
    assert ids(checks.check_database(databases=["default"])) == expected


def test_a_database_that_is_away_is_not_called_old(monkeypatch):
    class Away:
        vendor = "postgresql"

        @property
        def pg_version(self) -> int:
            raise OperationalError

    monkeypatch.setattr(checks, "connections", {"default": Away()})
    assert checks.check_database(databases=["default"]) == []


@pytest.mark.django_db
def test_the_database_of_the_tests_will_do():
    assert checks.check_database(databases=["default"]) == []


def test_without_a_database_to_look_at_none_is_asked():
    assert checks.check_database() == []
