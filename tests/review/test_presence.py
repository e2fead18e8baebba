"""Who else has the page open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import ApprovalRequest, User
from approvals.review import presence
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def row(anna: User, bert: User) -> ApprovalRequest:
    return make_request(anna, bert, timeout_seconds=900)


def panel(person: User, row: ApprovalRequest, version: str = ""):
    return signed_in(person).get(f"{row.get_absolute_url()}panel/", headers={"HX-PTag": version})


def test_who_opens_the_page_is_shown_to_who_looks_already(
    anna: User, bert: User, row: ApprovalRequest
) -> None:
    alone = panel(anna, row)
    assert "looking at this" not in alone.content.decode()
    signed_in(bert).get(row.get_absolute_url())
    beside = panel(anna, row, alone["HX-PTag"])
    assert "Bert is looking at this too" in beside.content.decode()
    assert panel(anna, row, beside["HX-PTag"]).status_code == 304


def test_who_has_not_looked_for_a_while_has_left(
    anna: User, bert: User, row: ApprovalRequest
) -> None:
    now = timezone.now()
    presence.look(row.public_id, bert, now)
    stays = presence.STAYS - timedelta(milliseconds=1)
    assert presence.others_at(row.public_id, anna, now + stays) == ["Bert"]
    assert presence.others_at(row.public_id, anna, now + presence.STAYS) == []
    assert presence.others_at(row.public_id, bert, now) == []


def test_who_claims_it_is_not_named_twice(anna: User, bert: User, row: ApprovalRequest) -> None:
    signed_in(bert).get(row.get_absolute_url())
    lifecycle.claim(row.pk, reviewer=bert)
    shown = panel(anna, row).content.decode()
    assert "<b>Bert</b> is looking at this" in shown
    assert "too" not in shown


def test_being_seen_costs_no_statement(
    anna: User, bert: User, row: ApprovalRequest,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    signed_in(bert).get(row.get_absolute_url())
    client, address = signed_in(anna), f"{row.get_absolute_url()}panel/"
    version = client.get(address)["HX-PTag"]
    with django_assert_max_num_queries(2):
        assert client.get(address, headers={"HX-PTag": version}).status_code == 304


def test_a_stranger_is_neither_noted_nor_told(anna: User, row: ApprovalRequest) -> None:
    assert panel(make_user("nina"), row).status_code == 404
    assert "Nina" not in panel(anna, row).content.decode()
