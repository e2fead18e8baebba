"""A broken way to AWS is seen where operators look, with what to do; an open one is not."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import keeping
from approvals.clock import database_now
from approvals.models import CallbackSource, Circuit, User
from approvals.operations.broken import BrokenWay
from tests.factories import make_request, make_source, make_user

pytestmark = pytest.mark.django_db(transaction=True)

DENIED = (
    "AccessDenied: AWS denies the portal this call. Allow it for the function in the role's policy."
)
UNKNOWN = (
    "ReadTimeoutError: No whole answer came back. Whether it took the call is unknown; "
    "it is tried again."
)
PLACES = {
    "list": ("approvals:sources", []),
    "source": ("approvals:source", ["orders"]),
    "callbacks": ("approvals:operations-callbacks", []),
}
every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture
def orders(transactional_db: None) -> CallbackSource:
    return make_source("orders", name="Orders")


@pytest.fixture
def olu(client: Client) -> User:
    operator = make_user("olu", role="operator")
    client.force_login(operator)
    return operator


def break_way(source: CallbackSource, detail: str = DENIED, *, probe_in: int = 30) -> Circuit:
    now = database_now()
    return Circuit.objects.create(
        source=source,
        failures=3,
        opened_at=now - timedelta(minutes=3),
        probe_at=now + timedelta(seconds=probe_in),
        detail=detail,
    )


def look(client: Client, place: str) -> str:
    name, args = PLACES[place]
    text = client.get(reverse(name, args=args)).content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@every_place
def test_a_broken_way_says_since_when_why_what_to_do_and_what_next(
    client: Client, olu: User, orders: CallbackSource, place: str
) -> None:
    circuit = break_way(orders)

    words = look(client, place)

    assert f"Way to AWS broken since {circuit.opened_at:%H:%M:%S}" in words
    assert "AWS denies the portal this call. Allow it for the function" in words
    assert f"Next try {circuit.probe_at:%H:%M:%S}" in words


@every_place
@pytest.mark.parametrize("former", [None, 0, 2])
def test_nothing_is_shown_while_the_way_is_open(
    client: Client, olu: User, orders: CallbackSource, place: str, former: int | None
) -> None:
    if former is not None:
        Circuit.objects.create(source=orders, failures=former, detail=DENIED)

    words = look(client, place)

    assert "Way to AWS" not in words
    assert "AWS not reached" not in words


@every_place
def test_of_the_ways_of_others_nothing_is_told(
    client: Client, orders: CallbackSource, place: str
) -> None:
    break_way(make_source("other", name="Other one"))
    keeping.give_role("orders", may="operate", username=make_user("scoped").username, admin=None)
    client.force_login(User.objects.get(username="scoped"))

    assert "Way to AWS" not in look(client, place)


@pytest.mark.parametrize(
    ("detail", "code", "trouble", "advice"),
    [
        (DENIED, "AccessDenied", "AWS denies the portal this call.", "Allow it for the function"),
        (
            UNKNOWN,
            "ReadTimeoutError",
            "No whole answer came back.",
            "Check the source's region and endpoint",
        ),
        (
            "EndpointConnectionError: AWS could not be reached. It is tried again.",
            "EndpointConnectionError",
            "AWS could not be reached.",
            "Check the source's region and endpoint",
        ),
        ("Broken", "", "Broken", "Check the source's region and endpoint"),
        ("", "", "", "Check the source's region and endpoint"),
    ],
)
def test_the_trouble_and_what_to_do_are_told_apart(
    orders: CallbackSource, detail: str, code: str, trouble: str, advice: str
) -> None:
    way = BrokenWay.of(break_way(orders, detail), database_now())

    assert way is not None
    assert (way.code, way.trouble) == (code, trouble)
    assert way.advice.startswith(advice)


def test_a_probe_that_is_due_is_due_now(client: Client, olu: User, orders: CallbackSource) -> None:
    break_way(orders, probe_in=-5)

    assert "The next try is due now." in look(client, "source")


def test_a_trouble_that_is_markup_stays_text(
    client: Client, olu: User, orders: CallbackSource
) -> None:
    break_way(orders, "Error: <script>alert(1)</script>. <b>Do</b> it.")
    answer: Any = client.get(reverse("approvals:source", args=["orders"]))

    assert b"<script>alert(1)" not in answer.content


def test_how_often_executions_are_looked_at_stands_on_the_source_s_page(
    client: Client, olu: User, orders: CallbackSource
) -> None:
    make_request(make_user(), source=orders, execution_arn="3f1d/9c2e")

    assert "Executions looked at 1, each every 1 min" in look(client, "source")
