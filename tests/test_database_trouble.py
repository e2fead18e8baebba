"""What people and programs read while the database is locked, slow or away."""

from __future__ import annotations

import json
from contextlib import contextmanager

import psycopg
import pytest
from django.db import InternalError, ProgrammingError, connection
from django.test import Client

from approvals import lifecycle
from approvals.models import ApprovalRequest, Decision
from approvals.problems import is_database_trouble
from tests.factories import make_request, make_user
from tests.intake.sender import make_sender, problem_of
from tests.review.people import HTMX, Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna():
    return make_user("anna")


@pytest.fixture
def order(anna):
    return make_request(anna)


@contextmanager
def impatient(**limits: str):
    """The database's limits, in its own words, for this thread's connection."""
    with connection.cursor() as cursor:
        for name, value in limits.items():
            cursor.execute(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        connection.close()  # the next one starts with the usual limits


@contextmanager
def locked(order: ApprovalRequest):
    """Somebody else holds the row of ORDER."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT FROM approvals_approvalrequest WHERE id = %s FOR UPDATE", [order.pk]
            )
        yield
    finally:
        other.rollback()
        other.close()


@pytest.fixture(params=["lock_timeout", "statement_timeout"])
def stuck(request, order):
    """The row of the request is locked for longer than a statement waits."""
    with impatient(**{request.param: "50ms"}), locked(order):
        yield order


@pytest.fixture
def away(monkeypatch):
    """The database refuses connections from now on."""

    def go() -> None:
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")

    yield go
    connection.close()


def press(client: Client, order: ApprovalRequest, **headers: str):
    address = f"/requests/{order.public_id}/decide/"
    return client.post(address, {"verdict": "approved"}, headers=headers)


def test_a_press_that_waits_too_long_for_a_lock_does_not_read_as_done(anna, stuck):
    answer = press(signed_in(anna), stuck)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    page = answer.content.decode()
    assert "Take nothing as decided" in page
    assert 'href=""' not in page  # the address of a press cannot be opened
    assert "Content-Security-Policy" in answer
    assert not Decision.objects.exists()


def test_a_press_by_htmx_keeps_its_form_and_is_told_in_it(anna, stuck):
    answer = press(signed_in(anna), stuck, **HTMX)
    assert (answer.status_code, answer["HX-Reswap"]) == (503, "afterbegin")
    assert "<html" not in answer.content.decode()
    assert 'role="alert"' in answer.content.decode()
    assert "Take nothing as decided" in answer.content.decode()


def test_a_decision_by_api_that_waits_too_long_is_a_problem(anna, stuck):
    caller = Caller(anna)
    answer = caller.decide(stuck, {"verdict": "approved"})
    told = problem_of(answer, 503)
    assert "Take nothing as decided" in told["detail"]
    assert answer["Retry-After"] == "5"
    assert not Decision.objects.exists()


def test_the_same_press_is_taken_once_the_lock_is_gone(anna, order):
    client = signed_in(anna)
    with impatient(lock_timeout="50ms"), locked(order):
        assert press(client, order).status_code == 503
    assert press(client, order).status_code == 303
    assert Decision.objects.count() == 1


def test_a_page_of_somebody_signed_in_says_that_the_database_is_away(anna, order, away):
    client = signed_in(anna)
    client.raise_request_exception = False
    away()
    answer = client.get(order.get_absolute_url())
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database does not answer" in answer.content.decode()
    assert "Content-Security-Policy" in answer
    assert 'href=""' in answer.content.decode()


def test_a_press_while_the_database_is_away_does_not_read_as_done(anna, order, away):
    client = signed_in(anna)
    client.raise_request_exception = False
    away()
    answer = press(client, order, **HTMX)
    assert (answer.status_code, answer["HX-Reswap"]) == (503, "afterbegin")
    assert "Take nothing as decided" in answer.content.decode()


def test_a_poll_while_the_database_is_away_changes_nothing_on_the_page(anna, order, away):
    client = signed_in(anna)
    client.raise_request_exception = False
    away()
    answer = client.get(order.get_absolute_url(), headers=HTMX)
    assert (answer.status_code, answer["HX-Reswap"], answer.content) == (503, "none", b"")


def test_sign_in_while_the_database_is_away_is_no_crash(client, away):
    away()
    answer = client.post("/accounts/login/", {"login": "anna", "password": "x"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_source_is_told_to_try_again_while_the_database_is_away(anna, away):
    sender = make_sender()
    away()
    answer = sender.open()
    assert "Try again" in problem_of(answer, 503)["detail"]
    assert answer["Retry-After"] == "5"


def test_a_fault_of_ours_is_still_a_crash(anna, order, monkeypatch):
    def wrong(*_args: object, **_kwargs: object) -> None:
        raise ProgrammingError("column nonsense does not exist")

    monkeypatch.setattr(lifecycle, "decide", wrong)
    client = signed_in(anna)
    client.raise_request_exception = False
    assert press(client, order).status_code == 500


@pytest.mark.parametrize(
    ("cause", "trouble"),
    [
        (psycopg.errors.IdleInTransactionSessionTimeout(), True),
        (psycopg.errors.TransactionTimeout(), True),
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.errors.InFailedSqlTransaction(), False),
    ],
)
def test_an_internal_error_passes_only_where_its_cause_does(cause, trouble):
    error = InternalError()
    error.__cause__ = cause
    assert is_database_trouble(error) is trouble


@pytest.fixture
def https_only(settings):
    settings.SECURE_SSL_REDIRECT = True


@pytest.mark.usefixtures("https_only")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_api_call_over_plain_http_is_refused_not_redirected(anna, method):
    caller = Caller(anna)
    answer = Client().generic(method, "/api/v1/requests", headers=caller.headers)
    told = problem_of(answer, 403)
    assert "replace the key" in told["detail"]
    assert caller.token not in json.dumps(told)


@pytest.mark.usefixtures("https_only")
def test_over_https_an_api_call_is_answered(anna):
    answer = Client().get("/api/v1/requests", secure=True, headers=Caller(anna).headers)
    assert answer.status_code == 200


@pytest.mark.usefixtures("https_only")
def test_a_page_over_plain_http_is_still_redirected(client):
    answer = client.get("/requests/")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/requests/")


def test_where_plain_http_is_meant_the_api_answers(anna):
    assert Client().get("/api/v1/requests", headers=Caller(anna).headers).status_code == 200
