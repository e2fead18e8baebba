"""A tick stands where AWS has taken the answer, and nowhere before."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackDelivery, User
from approvals.states import Channel, DeliveryState, Verdict
from tests.factories import make_request, make_user
from tests.review.people import HTMX, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

Look = Callable[[Client, ApprovalRequest], str]


def listed(view: str) -> Look:
    def look(client: Client, row: ApprovalRequest) -> str:
        return client.get(f"/requests/?view={view}").content.decode()

    return look


def struck(client: Client, row: ApprovalRequest) -> str:
    address = f"/requests/news/?view=needs-me&since=0&shown={row.pk}"
    return client.get(address, headers=HTMX).content.decode()


def together(client: Client, row: ApprovalRequest) -> str:
    return client.get(f"/requests/bulk/results/?view=needs-me&shown={row.pk}").content.decode()


@pytest.mark.parametrize(
    "look",
    [listed("closed"), listed("decided-by-me"), struck, together],
    ids=["closed", "decided-by-me", "struck", "together"],
)
@pytest.mark.parametrize("state", DeliveryState.values)
def test_only_what_aws_took_has_a_tick(look: Look, state: str) -> None:
    anna = make_user("anna")
    row = approved(anna)
    settled_at = None if state == DeliveryState.PENDING else timezone.now()
    CallbackDelivery.objects.update(state=state, settled_at=settled_at)

    page = look(signed_in(anna), row)

    assert row.title in page
    assert ("row-done--ok" in page) == (state == DeliveryState.DELIVERED)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.PENDING, "Approved, sending…; asked"),
        (DeliveryState.UNDELIVERABLE, "Approved, not delivered; asked"),
        (DeliveryState.UNCONFIRMED, "Approved, perhaps not delivered; asked"),
        (DeliveryState.DELIVERED, "Approved; asked"),
    ],
)
def test_the_list_of_what_is_closed_says_how_far_aws_is(state: str, words: str) -> None:
    anna = make_user("anna")
    approved(anna)
    settled_at = None if state == DeliveryState.PENDING else timezone.now()
    CallbackDelivery.objects.update(state=state, settled_at=settled_at)

    page = listed("closed")(signed_in(anna), ApprovalRequest.objects.get())

    assert words in re.sub(r"\s+", " ", page)


def approved(person: User) -> ApprovalRequest:
    row = make_request(person, title="Release order NO-1")
    lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=person, channel=Channel.API)
    return row
