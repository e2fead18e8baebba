"""A list in an address: what stands beside a request, and what comes after it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, User
from approvals.review.selection import Selection
from approvals.states import DeliveryState
from tests.factories import make_kind, make_request, make_user
from tests.review.people import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def put(anna: User, *seconds: int) -> list[ApprovalRequest]:
    return [make_request(anna, title=f"In {each} s", timeout_seconds=each) for each in seconds]


def decide(client: Client, row: ApprovalRequest, words: str = "", **headers: str):
    address = f"{row.get_absolute_url()}decide/{words}"
    return client.post(address, {"verdict": "approved"}, headers=headers)


def test_a_request_names_the_list_it_is_beside_in_its_address(anna: User) -> None:
    first, second = put(anna, 900, 1_800)
    shown = signed_in(anna).get(f"{first.get_absolute_url()}?view=needs-me").content.decode()
    assert f'href="{second.get_absolute_url()}?view=needs-me"' in shown
    assert 'class="row-link"' not in signed_in(anna).get(first.get_absolute_url()).content.decode()


def test_htmx_gets_the_request_without_the_list_and_the_frame(anna: User) -> None:
    first, second = put(anna, 900, 1_800)
    address = f"{first.get_absolute_url()}?view=needs-me"
    shown = signed_in(anna).get(address, headers=HTMX).content.decode()
    assert "<title>In 900 s · Countersign</title>" in shown
    assert second.title not in shown.replace(f"Next: {second.title}", "")
    assert "<html" not in shown


@pytest.mark.parametrize("words", ["?view=nothing", "?view=all", "?view=needs-me&cursor=x"])
def test_a_list_there_is_not_is_not_found_beside_a_request_either(anna: User, words: str) -> None:
    (row,) = put(anna, 900)
    client = signed_in(anna)
    assert client.get(f"{row.get_absolute_url()}{words}").status_code == 404
    assert decide(client, row, words).status_code == 404
    row.refresh_from_db()
    assert row.is_pending


def test_deciding_out_of_a_list_leads_to_the_next_of_it(anna: User) -> None:
    first, second, third = put(anna, 900, 1_800, 2_700)
    answer = decide(signed_in(anna), second, "?view=needs-me")
    told = f"?view=needs-me&decided={second.public_id}"
    assert (answer.status_code, answer["Location"]) == (303, f"{third.get_absolute_url()}{told}")
    answer = decide(signed_in(anna), third, "?view=needs-me", **HTMX)
    told = f"?view=needs-me&decided={third.public_id}"
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"{first.get_absolute_url()}{told}")


def test_deciding_stays_where_there_is_no_list_no_next_or_no_wish(anna: User) -> None:
    first, second, third = put(anna, 900, 1_800, 2_700)
    client = signed_in(anna)
    assert decide(client, first)["Location"] == f"{first.get_absolute_url()}#decision"
    client.cookies["next"] = "off"
    beside = f"{second.get_absolute_url()}?view=needs-me#decision"
    assert decide(client, second, "?view=needs-me")["Location"] == beside
    del client.cookies["next"]
    last = f"{third.get_absolute_url()}?view=needs-me#decision"
    assert decide(client, third, "?view=needs-me")["Location"] == last


def test_what_was_decided_is_told_only_to_who_decided_it(anna: User) -> None:
    bert = make_user("bert")
    done = make_request(anna, bert, title="Two see this")
    left = make_request(anna, bert, title="Still here")
    decide(signed_in(anna), done)
    address = f"{left.get_absolute_url()}?view=needs-me&decided={done.public_id}"
    assert "Approved by Anna, sending…" in signed_in(anna).get(address).content.decode()
    assert 'id="toast"' not in signed_in(bert).get(address).content.decode()
    for nonsense in ("x", str(left.public_id), "00000000-0000-0000-0000-000000000007"):
        address = f"{left.get_absolute_url()}?view=needs-me&decided={nonsense}"
        answer = signed_in(anna).get(address)
        assert answer.status_code == 200
        assert b'id="toast"' not in answer.content


def test_a_held_decision_is_told_with_undo_and_later_that_aws_took_it(anna: User) -> None:
    make_kind(undo_seconds=10)
    done, _ = put(anna, 900, 1_800)
    client = signed_in(anna)
    address = decide(client, done, "?view=needs-me")["Location"]
    told = client.get(address).content.decode()
    assert "Approved by Anna, not sent yet." in told
    assert f'action="{done.get_absolute_url()}undo/"' in told
    assert 'data-key="z"' in told

    ApprovalRequest.objects.filter(pk=done.pk).update(held_until=database_now())
    lifecycle.conclude_due(now=database_now())
    CallbackDelivery.objects.filter(request=done).update(
        state=DeliveryState.DELIVERED, settled_at=database_now()
    )
    told = client.get(f"{done.get_absolute_url()}toast/").content.decode()
    assert "Approved by Anna; AWS took the answer." in told
    assert "undo/" not in told


def test_what_was_taken_back_is_told_so(anna: User) -> None:
    make_kind(undo_seconds=10)
    done, _ = put(anna, 900, 1_800)
    client = signed_in(anna)
    decide(client, done, "?view=needs-me")
    assert client.post(f"{done.get_absolute_url()}undo/").status_code == 303
    told = client.get(f"{done.get_absolute_url()}toast/").content.decode()
    assert "Taken back; nothing was sent." in told


def test_an_unchanged_toast_costs_two_statements_and_no_body(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    (row,) = put(anna, 900)
    client = signed_in(anna)
    decide(client, row)
    address = f"{row.get_absolute_url()}toast/"
    first = client.get(address)
    assert b"sending" in first.content
    with django_assert_max_num_queries(2):
        again = client.get(address, headers={"HX-PTag": first["HX-PTag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nothing_comes_next_for_who_may_not_review() -> None:
    olu, anna = make_user("olu", role="operator"), make_user()
    row, _ = put(anna, 900, 1_800)
    assert Selection("needs-me").next_after(row, olu) is None
    assert Selection("decided-by-me").next_after(row, anna) is None
