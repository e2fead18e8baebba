"""The queue's page: what is in it, for whom, and at what cost."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import queue
from approvals.models.beside import counts_beside
from approvals.models.news import News, look_again
from approvals.policy import Wanting
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_team, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


def page(client: Client, view: str = "needs-me", cursor: str = "") -> str:
    answer = client.get("/requests/", {"view": view, **({"cursor": cursor} if cursor else {})})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_sees_what_they_or_their_teams_are_asked() -> None:
    anna, outsider = make_user(groups=["desk"]), make_user()
    make_request(anna, title="By name")
    make_request(groups=["desk"], title="By team")
    make_request(outsider, title="For another")
    shown = page(signed_in(anna))
    assert "By name" in shown
    assert "By team" in shown
    assert "For another" not in shown
    assert "2 requests" in shown


def test_a_request_asked_by_name_and_team_counts_once() -> None:
    anna = make_user(groups=["desk"])
    make_request(anna, groups=["desk"])
    assert "1 request," in page(signed_in(anna))


def test_what_i_voted_on_waits_for_my_teams_but_not_for_me() -> None:
    anna = make_user(groups=["desk"])
    make_user(groups=["desk"])
    row = make_request(groups=["desk"], title="Two of us", required_approvals=2)
    lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    client = signed_in(anna)
    assert "Two of us" not in page(client)
    assert "1 of 2 approvals" in page(client, "my-teams")


@pytest.mark.parametrize("field", ["requested_by", "on_behalf_of", "agent"])
def test_what_was_asked_for_me_does_not_need_me(field: str) -> None:
    anna, _ = make_user("Anna", groups=["desk"]), make_user(groups=["desk"])
    make_request(groups=["desk"], title="My own", wanting=Wanting(**{field: " ANNA@example.com "}))
    assert "My own" not in page(signed_in(anna))
    assert "My own" in page(signed_in(anna), "my-teams")


def test_leaving_a_team_empties_its_queue() -> None:
    anna, _ = make_user(groups=["desk"]), make_user(groups=["desk"])
    make_request(groups=["desk"], title="Of the team")
    anna.groups.remove(make_team("desk"))
    assert "Of the team" not in page(signed_in(anna))


def test_a_page_of_fifty_takes_five_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    anna = make_user(groups=["desk", "second"])
    for number in range(52):
        make_request(anna, groups=["desk"], title=f"Number {number:02}", timeout_seconds=9_000)
    client = signed_in(anna)
    for view in ("needs-me", "my-teams", "decided-by-me"):
        with django_assert_max_num_queries(5):
            page(client, view)


def test_pages_join_without_a_gap_or_a_double() -> None:
    anna = make_user(groups=["desk"])
    for number in range(105):
        make_request(anna, groups=["desk"], title=f"Number {number:03}.", due_in_seconds=7_000)
    client, seen, address = signed_in(anna), [], "/requests/?view=needs-me"
    while address and len(seen) < 200:
        shown = client.get(address).content.decode()
        seen += re.findall(r">Number (\d{3})\.", shown)
        onward = re.search(r'class="btn" href="([^"]*cursor=[^"]*)"', shown)
        address = unescape(onward.group(1)) if onward else ""
    assert sorted(seen) == [f"{n:03}" for n in range(105)]


def test_what_i_voted_on_does_not_hide_what_stands_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "_SPARE", 0)
    anna, _ = make_user(groups=["desk"]), make_user(groups=["desk"])
    for number in range(5):
        voted = make_request(groups=["desk"], required_approvals=2, timeout_seconds=600 + number)
        lifecycle.decide(voted.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    behind = make_request(groups=["desk"], timeout_seconds=9_000)
    page = queue.pending_page(queue.Walk.needing(anna), size=2)
    assert [row.pk for row in page.rows] == [behind.pk]
    assert (page.count, page.count_capped, page.next) == (1, False, None)


def test_a_count_beyond_the_limit_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "COUNT_LIMIT", 2)
    anna = make_user()
    for _ in range(3):
        make_request(anna)
    page = queue.pending_page(queue.Walk.needing(anna))
    assert (len(page.rows), page.count, page.count_capped) == (3, 2, True)
    told = queue.pending_page(queue.Walk.needing(anna), count_to=1)
    assert (len(told.rows), told.count, told.count_capped) == (3, 1, True)


def test_news_of_an_empty_queue_count_from_what_was_asked_last() -> None:
    anna = make_user()
    closed = make_request(anna)
    lifecycle.decide(closed.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    empty = queue.pending_page(queue.Walk.needing(anna))
    assert (empty.rows, empty.newest_id) == ([], closed.pk)
    assert look_again(anna, News.NEEDING, empty.newest_id).newer == 0
    make_request(anna)
    assert look_again(anna, News.NEEDING, empty.newest_id).newer == 1


def test_the_rail_counts_what_its_views_list_on_every_page() -> None:
    anna = make_user()
    make_request(anna)
    team = make_user(groups=["night-shift"])
    make_request(groups=["night-shift"])
    assert counts_beside(anna) == {"needs_me": "1", "my_teams": ""}
    assert counts_beside(team) == {"needs_me": "1", "my_teams": "1"}
    page = signed_in(anna).get("/tokens/").content.decode()
    assert '<span class="view-count" id="count-needs-me">1</span>' in page
