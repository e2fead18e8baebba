"""What was decided elsewhere stays where it was, until the next page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import ApprovalRequest, User
from approvals.states import Channel, Verdict, Withdrawal
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def approve(row: ApprovalRequest, who: User) -> None:
    lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=who, channel=Channel.API)


def news_of(client: Client) -> str:
    shown = client.get("/requests/?view=needs-me").content.decode()
    found = re.search(r'id="newer" hx-get="([^"]*)"', shown)
    assert found
    return unescape(found.group(1))


def test_a_row_closed_elsewhere_is_struck_through_with_who_and_when(anna: User) -> None:
    bert = make_user("bert")
    row, other = make_request(anna, bert, title="Both of us"), make_request(anna)
    client = signed_in(anna)
    address = news_of(client)
    before = client.get(address)["HX-PTag"]
    approve(row, bert)
    answer = client.get(address, headers={"HX-PTag": before})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'hx-target="#row-{row.pk}"' in text
    assert "row--decided" in text
    assert "Approved by Bert. Nothing is left for you to do." in text
    assert f"row-{other.pk}" not in text
    assert client.get(address, headers={"HX-PTag": answer["HX-PTag"]}).status_code == 304
    assert f"row-{row.pk}" not in client.get("/requests/").content.decode()


def test_a_row_that_stopped_waiting_says_why(anna: User) -> None:
    row = make_request(anna)
    client = signed_in(anna)
    address = news_of(client)
    lifecycle.withdraw(row.pk, why=Withdrawal.SOURCE, reason="The customer cancelled.")
    assert str(Withdrawal.SOURCE.label) in client.get(address).content.decode()


def test_nobody_asks_after_rows_of_others(anna: User) -> None:
    row = make_request(make_user("bert"), title="Not Anna's")
    client = signed_in(anna)
    address = f"/requests/news/?view=needs-me&since=0&shown={row.pk}"
    before = client.get(address)["HX-PTag"]
    approve(row, User.objects.get(username="bert"))
    assert client.get(address, headers={"HX-PTag": before}).status_code == 304


def test_looking_again_costs_two_statements_and_one_that_tells_four(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    bert = make_user("bert")
    rows = [make_request(anna, bert) for _ in range(3)]
    client = signed_in(anna)
    address = news_of(client)
    before = client.get(address)["HX-PTag"]
    with django_assert_max_num_queries(2):
        assert client.get(address, headers={"HX-PTag": before}).status_code == 304
    for row in rows:
        approve(row, bert)
    with django_assert_max_num_queries(4):
        assert client.get(address).content.count(b"row--decided") == 3


@pytest.mark.parametrize("word", ["x", "1.", "-1", "1" * 19, ".".join(["1"] * 51)])
def test_rows_that_no_page_of_ours_showed_are_not_found(anna: User, word: str) -> None:
    address = f"/requests/news/?view=needs-me&since=0&shown={word}"
    assert signed_in(anna).get(address).status_code == 404
