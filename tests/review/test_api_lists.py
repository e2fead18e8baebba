"""Lists of the API: what is in them, and how their pages join."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import User
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user
from tests.review.people import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def test_lists_hold_what_their_caller_may_see_and_count_it(anna: User) -> None:
    for number in range(5):
        make_request(anna, title=f"Mine {number}", due_in_seconds=1_000 - number)
    make_request(make_user(), title="Another's")
    shown = Caller(anna).get("/api/v1/requests?state=pending").json()
    assert [item["title"] for item in shown["items"]] == [f"Mine {n}" for n in (4, 3, 2, 1, 0)]
    assert (shown["count"], shown["count_capped"], shown["next"]) == (5, False, None)
    everything = Caller(make_user(role="auditor")).get("/api/v1/requests").json()
    assert everything["count"] == 6


@pytest.mark.parametrize("state", ["", "pending", "approved"])
def test_pages_of_a_list_join_without_a_gap_or_a_double(anna: User, state: str) -> None:
    for number in range(5):
        row = make_request(anna, title=f"Mine {number}")
        if state == "approved":
            lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    caller, seen = Caller(anna), []
    onward: str | None = f"/api/v1/requests?limit=2{'&state=' + state if state else ''}"
    while onward and len(seen) < 10:
        shown = caller.get(onward.removeprefix("http://testserver")).json()
        assert shown["count"] == 5
        seen += [item["title"] for item in shown["items"]]
        onward = shown["next"]
    assert sorted(seen) == [f"Mine {n}" for n in range(5)]


@pytest.mark.parametrize("query", ["state=open", "limit=0", "limit=201", "cursor=x", "cursor=YQ"])
def test_a_list_asked_for_wrongly_says_what_to_mend(anna: User, query: str) -> None:
    answer = Caller(anna).get(f"/api/v1/requests?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_a_list_takes_a_fixed_number_of_statements(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        make_request(anna)
    caller = Caller(anna)
    caller.get("/api/v1/requests")
    with django_assert_max_num_queries(5):
        caller.get("/api/v1/requests?state=pending")
