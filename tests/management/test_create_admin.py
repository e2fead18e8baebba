"""The first admin is made on the command line, never with a password on it."""

from __future__ import annotations

import getpass
import re
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from approvals.models import User
from tests.factories import make_role, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _roles():
    make_role("admin")


@pytest.fixture
def typed(monkeypatch):
    """Puts a person at a terminal, who types what is appended."""
    words: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: words.pop(0))
    return words


def create(*words: str) -> None:
    call_command("create_admin", "mara", "--email", "mara@example.com", *words)


def test_an_admin_is_staff_with_the_role_and_no_superuser(typed):
    typed += [PASSWORD, PASSWORD]
    create()
    mara = User.objects.get(username="mara")
    assert (mara.is_staff, mara.is_superuser, mara.email) == (True, False, "mara@example.com")
    assert [group.name for group in mara.groups.all()] == ["admin"]
    assert mara.check_password(PASSWORD)


def test_the_printed_link_sets_the_password_once(capsys):
    create("--link")
    told = capsys.readouterr()
    assert not User.objects.get().has_usable_password()
    link = re.fullmatch(r"http://testserver(/\S+)\n", told.out)[1]
    browser = Client()
    form = browser.get(link, follow=True)
    words = {"password1": PASSWORD, "password2": PASSWORD}
    browser.post(form.context["action_url"], words)
    assert User.objects.get().check_password(PASSWORD)
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_a_password_cannot_be_given_on_the_command_line():
    with pytest.raises((CommandError, TypeError)):
        create("--password", PASSWORD)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([PASSWORD, "another one entirely"], "not the same"),
        (["short", "short"], "at least 12 characters"),
        (["mara@example.com", "mara@example.com"], "similar"),
    ],
)
def test_a_password_that_will_not_do_makes_nobody(typed, words, why):
    typed += words
    with pytest.raises(CommandError, match=why):
        create()
    assert not User.objects.exists()


def test_without_a_terminal_it_points_to_the_link(monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(CommandError, match="--link"):
        create()


def test_a_name_that_exists_is_refused_and_keeps_its_password_and_role():
    make_user("mara", role="reviewer")
    with pytest.raises(CommandError, match="already exists"):
        create("--link")
    mara = User.objects.get()
    assert not mara.is_staff
    assert mara.has_usable_password()


def test_an_address_that_exists_is_refused():
    make_user("dana")
    with pytest.raises(CommandError, match="has the address"):
        call_command("create_admin", "mara", "--email", "Dana@example.com", "--link")
    assert User.objects.count() == 1


def test_a_malformed_address_is_refused():
    with pytest.raises(CommandError, match="email"):
        call_command("create_admin", "mara", "--email", "nowhere", "--link")
    assert not User.objects.exists()


def test_an_empty_database_is_told_to_migrate_first():
    User.groups.through.objects.all().delete()
    make_role("admin").delete()
    with pytest.raises(CommandError, match="migrate"):
        create("--link")
    assert not User.objects.exists()
