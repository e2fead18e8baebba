"""Lists that are narrowed, and kept under a name."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from approvals.models import ApprovalRequest, Assignment, SavedView, User, queue
from approvals.models import filter as filters
from approvals.models.filter import Filter
from approvals.models.news import News, look_again
from approvals.models.queue import Walk, pending_page
from tests.factories import make_kind, make_request, make_source, make_user
from tests.review.people import HTMX, signed_in

pytestmark = pytest.mark.django_db
QUEUE = "/requests/?view=needs-me"


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def titles(user: User, **words: str) -> list[str]:
    walk = Walk.needing(user).narrowed(Filter(**words))
    return [row.title for row in pending_page(walk).rows]


def scored(anna: User, score: int | None) -> ApprovalRequest:
    row = make_request(anna, title=f"Risk {score}")
    ApprovalRequest.objects.filter(pk=row.pk).update(risk_score=score)
    return row


def put_at(row: ApprovalRequest, at: object) -> None:
    ApprovalRequest.objects.filter(pk=row.pk).update(queue_at=at)
    Assignment.objects.filter(request=row).update(queue_at=at)


def test_a_list_is_left_with_one_kind_and_one_source(anna: User) -> None:
    shop = make_source("shop")
    make_request(anna, title="Order of the shop", kind="order", source=shop)
    make_request(anna, title="Order of another", kind="order")
    make_request(anna, title="Note of the shop", source=shop)
    assert titles(anna, kind="order") == ["Order of the shop", "Order of another"]
    assert titles(anna, kind="order", source="shop") == ["Order of the shop"]
    assert titles(anna, kind="nothing") == []


@pytest.mark.parametrize(
    ("risk", "found"),
    [("high", ["Risk 70"]), ("some", ["Risk 40", "Risk 69"]), ("low", ["Risk 39"]),
     ("unknown", ["Risk None"])],
)  # fmt: skip
def test_a_list_is_left_with_one_stretch_of_risk(anna: User, risk: str, found: list[str]) -> None:
    for score in (39, 40, 69, 70, None):
        scored(anna, score)
    assert sorted(titles(anna, risk=risk)) == found


def test_a_list_is_left_with_what_is_overdue_due_today_or_later(anna: User) -> None:
    now = timezone.localtime()
    last = now.replace(hour=23, minute=59, second=59, microsecond=999_999)
    for title, at in {
        "Late": now - timedelta(seconds=1),
        "Tonight": last,
        "Tomorrow": last + timedelta(microseconds=1),
    }.items():
        put_at(make_request(anna, title=title), at)
    assert titles(anna, due="overdue") == ["Late"]
    assert titles(anna, due="today") == ["Tonight"]
    assert titles(anna, due="later") == ["Tomorrow"]


def test_what_fits_is_looked_for_in_one_window_and_then_the_next(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (filters, queue):
        monkeypatch.setattr(module, "WINDOW", 3)
    for number in range(7):
        kind = "order" if number in (1, 5) else "generic"
        make_request(anna, title=f"Number {number}", kind=kind, timeout_seconds=900 + number)
    walk = Walk.needing(anna).narrowed(Filter(kind="order"))
    first = pending_page(walk)
    assert [row.title for row in first.rows] == ["Number 1"]
    assert (first.count, first.count_capped) == (1, True)
    second = pending_page(walk, after=first.next)
    assert [row.title for row in second.rows] == ["Number 5"]
    third = pending_page(walk, after=second.next)
    assert (third.rows, third.next) == ([], None)


def test_a_narrowed_page_that_is_full_goes_on_behind_its_last_row(anna: User) -> None:
    for number in range(5):
        make_request(anna, title=f"Number {number}", kind="order", timeout_seconds=900 + number)
    walk = Walk.needing(anna).narrowed(Filter(kind="order"))
    first = pending_page(walk, size=2)
    second = pending_page(walk, size=2, after=first.next)
    assert [row.title for row in [*first.rows, *second.rows]] == [f"Number {n}" for n in range(4)]


def test_news_of_a_narrowed_list_are_what_would_stand_in_it(anna: User) -> None:
    old = make_request(anna)
    make_request(anna, kind="order", timeout_seconds=86_400 * 3)
    make_request(anna)
    for words, count in ({"kind": "order"}, 1), ({"due": "overdue"}, 0), ({"due": "later"}, 2):
        since = look_again(anna, News.NEEDING, old.pk, only=Filter(**words))
        assert since.newer == count


@pytest.mark.parametrize(
    "words", ["risk=x", "due=x", "kind=a'b", "source=%00", "kind=" + "a" * 101]
)
def test_a_filter_there_is_not_is_not_found(anna: User, words: str) -> None:
    assert signed_in(anna).get(f"{QUEUE}&{words}").status_code == 404


def test_a_narrowed_list_says_by_what_and_leads_back(anna: User) -> None:
    make_kind("order", label="Order")
    row = make_request(anna, title="An order", kind="order")
    make_request(anna, title="A note")
    shown = unescape(signed_in(anna).get(f"{QUEUE}&kind=order&due=later").content.decode())
    assert "An order" in shown
    assert "A note" not in shown
    assert '<a class="chip chip--on" href="/requests/?view=needs-me&due=later">Order' in shown
    assert '<a class="chip chip--on" href="/requests/?view=needs-me&kind=order">Due later' in shown
    assert f'href="{row.get_absolute_url()}?view=needs-me&kind=order&due=later"' in shown
    assert "/requests/news/?view=needs-me&kind=order&due=later&since=" in shown


def test_only_what_is_in_the_list_is_offered_to_narrow_it(anna: User) -> None:
    make_request(anna, source=make_source("shop", name="The shop"), kind="order")
    make_request(make_user(), source=make_source("secret", name="Secret plans"), kind="document")
    for headers in ({}, HTMX):
        address = "/requests/filter/?view=needs-me&kind=order"
        shown = signed_in(anna).get(address, headers=headers).content.decode()
        assert '<option value="order" selected>' in shown
        assert "The shop" in shown
        assert "Secret plans" not in shown
        assert "document" not in shown


def save(client: Client, name: str, words: str = "?view=needs-me&kind=order"):
    return client.post(f"/requests/saved/{words}", {"name": name})


@pytest.mark.django_db(transaction=True)
def test_a_saved_view_stands_in_the_rail_with_the_count_of_its_list(anna: User) -> None:
    make_request(anna, kind="order")
    make_request(anna)
    client = signed_in(anna)
    answer = save(client, "My orders")
    assert answer["Location"] == "/requests/?view=needs-me&kind=order"
    for address in (answer["Location"], "/tokens/"):
        shown = unescape(client.get(address).content.decode())
        assert 'href="/requests/?view=needs-me&kind=order"' in shown
        assert '<span class="view-name">My orders</span><span class="view-count">1</span>' in shown
    assert "My orders" not in signed_in(make_user()).get("/tokens/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_saved_view_needs_a_name_of_its_own_and_there_are_six(anna: User) -> None:
    client = signed_in(anna)
    assert save(client, "1").status_code == 303
    assert b"take another" in save(client, "1").content
    assert b"Give it a name." in save(client, " ").content
    for number in range(2, 7):
        assert save(client, str(number)).status_code == 303
    refused = save(client, "7")
    assert (refused.status_code, SavedView.objects.count()) == (422, 6)
    assert b"remove one first" in refused.content


@pytest.mark.django_db(transaction=True)
def test_nobody_removes_the_saved_view_of_another(anna: User) -> None:
    save(signed_in(anna), "Mine")
    address = f"/requests/saved/{SavedView.objects.get().pk}/remove/"
    assert signed_in(make_user()).post(address).status_code == 404
    assert signed_in(anna).post(address).status_code == 303
    assert not SavedView.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_narrowed_page_with_saved_views_takes_five_statements(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        make_request(anna, kind="order")
    client = signed_in(anna)
    save(client, "Orders")
    save(client, "Late", "?view=needs-me&due=overdue")
    for address in (QUEUE, f"{QUEUE}&kind=order", "/requests/filter/?view=needs-me"):
        with django_assert_max_num_queries(5):
            client.get(address)


@pytest.mark.django_db(transaction=True)
def test_what_was_saved_as_an_operator_goes_from_the_rail_with_the_role() -> None:
    olu = make_user("olu", role="operator")
    save(signed_in(olu), "Everything", "?view=all&due=overdue")
    assert "Everything" in signed_in(olu).get("/tokens/").content.decode()
    olu.groups.clear()
    assert "Everything" not in signed_in(olu).get("/tokens/").content.decode()
