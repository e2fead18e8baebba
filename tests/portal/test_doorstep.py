"""What somebody meets who is not signed in: the words of a refusal, and the mark."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


def _sign_in(login: str) -> str:
    form = {"login": login, "password": "not the password"}
    return Client().post("/accounts/login/", form).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("login", ["mara", "mara@example.com"])
def test_a_wrong_password_is_answered_alike_for_a_username_and_an_email(login: str) -> None:
    assert "That username or email and password do not match." in _sign_in(login)


@pytest.mark.django_db
def test_the_sixth_wrong_password_is_told_how_long_to_wait() -> None:
    pages = [_sign_in("somebody-at-the-door") for _ in range(6)]
    assert "Too many attempts" not in pages[4]
    assert "Too many attempts. Wait five minutes, or ask an admin." in pages[5]


def test_a_browser_that_asks_for_favicon_ico_is_sent_to_the_mark() -> None:
    response = Client().get("/favicon.ico")
    assert response.status_code == 301
    assert response["Location"].endswith("/mark.svg")
    assert "max-age=86400" in response["Cache-Control"]


def test_the_favicon_follows_the_name_the_static_storage_gives(settings: Any) -> None:
    settings.STATIC_URL = "/elsewhere/"
    assert Client().get("/favicon.ico")["Location"] == "/elsewhere/mark.svg"
