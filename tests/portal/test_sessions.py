"""A session comes with its person, and is believed no more than Django's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals.clock import database_now
from approvals.models import Session, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/tokens/"


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def browser(anna: User) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def knows_them(browser: Client) -> bool:
    return browser.get(PAGE).status_code == 200


def test_the_session_and_its_person_are_one_statement(
    browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert browser.get("/accounts/login/").status_code == 302


def test_the_row_names_its_person(browser: Client, anna: User) -> None:
    assert Session.objects.get().user == anna


def test_a_deactivated_person_is_nobody_from_that_moment(browser: Client, anna: User) -> None:
    assert knows_them(browser)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert not knows_them(browser)


def test_a_changed_password_ends_the_session(browser: Client, anna: User) -> None:
    anna.set_password("another long enough password")
    anna.save(update_fields=["password"])
    assert not knows_them(browser)


def test_a_former_secret_key_still_signs_in(browser: Client, settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-" * 4
    assert knows_them(browser)
    settings.SECRET_KEY_FALLBACKS = []
    assert knows_them(browser)  # the session was signed anew, as Django does


@pytest.mark.parametrize("key", [SESSION_KEY, HASH_SESSION_KEY, "_auth_user_backend"])
def test_what_the_session_says_must_all_be_right(browser: Client, key: str) -> None:
    session = browser.session
    session[key] = str(make_user("bert").pk) if key == SESSION_KEY else "nonsense"
    session.save()
    assert not knows_them(browser)


def test_the_person_of_the_row_counts_for_nothing_alone(browser: Client) -> None:
    other = make_user("bert")
    Session.objects.update(user=other)
    answer = browser.get(PAGE)
    assert answer.wsgi_request.user.username == "anna"


def test_signing_out_leaves_nobody(browser: Client) -> None:
    browser.post("/accounts/logout/")
    assert not knows_them(browser)


def test_ended_sessions_are_taken_away_and_live_ones_stay(browser: Client) -> None:
    now = database_now()
    live = Session.objects.get()
    ended = Session.objects.create(session_key="e" * 32, session_data="", expire_date=now)

    assert Session.objects.clear_expired(now=now + timedelta(microseconds=1)) == 1
    assert list(Session.objects.all()) == [live]
    assert not Session.objects.filter(pk=ended.pk).exists()
    assert browser.get("/requests/").status_code == 200
    assert Session.objects.clear_expired(now=live.expire_date + timedelta(seconds=1)) == 1
