"""Looking again is cheap while nothing changed, and stops when nothing will."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackDelivery, Execution, User
from approvals.states import Channel, DeliveryState, ExecutionStatus, Reply, Verdict
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(anna, make_user("bert"), execution_arn="name/id", timeout_seconds=900)


def panel(client: Client, order: ApprovalRequest, **headers: str):
    return client.get(f"/requests/{order.public_id}/panel/", headers=headers)


def approve(order: ApprovalRequest, reviewer: User) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER)


def interval(text: str) -> str | None:
    found = re.search(r'hx-trigger="every (\d+)s', text)
    return found.group(1) if found else None


@pytest.mark.parametrize("header", ["HX-PTag", "If-None-Match"])
def test_an_unchanged_panel_costs_two_statements_and_no_body(
    anna: User,
    order: ApprovalRequest,
    header: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(anna)
    first = panel(client, order)
    version = first["ETag"] if header == "If-None-Match" else first["HX-PTag"]
    with django_assert_max_num_queries(2):
        again = panel(client, order, **{header: version})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_hands_out_the_version_of_its_panel(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    text = client.get(order.get_absolute_url()).content.decode()
    version = re.search(r'hx-ptag="([0-9a-f]+)"', text)
    assert version
    assert panel(client, order, **{"HX-PTag": version.group(1)}).status_code == 304


def test_a_claim_a_vote_and_an_answer_each_change_the_panel(anna: User) -> None:
    bert = make_user("bert")
    two = make_request(anna, bert, required_approvals=2)
    client, seen = signed_in(anna), []

    def look() -> None:
        version = panel(client, two)["HX-PTag"]
        assert version not in seen
        seen.append(version)

    look()
    lifecycle.claim(two.pk, reviewer=bert)
    look()
    approve(two, bert)
    look()
    approve(two, anna)
    look()
    CallbackDelivery.objects.update(attempts=1, in_flight=True)
    look()
    CallbackDelivery.objects.update(
        state=DeliveryState.DELIVERED, in_flight=False, settled_at=timezone.now()
    )
    look()


def test_looking_again_ends_with_the_execution(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    assert interval(panel(client, order).content.decode()) == "5"
    approve(order, anna)
    text = panel(client, order).content.decode()
    assert interval(text) == "1"
    assert "Sending…" in text
    now = timezone.now()
    CallbackDelivery.objects.update(
        state=DeliveryState.DELIVERED, owed_at=now - timedelta(seconds=0.3), settled_at=now
    )
    text = panel(client, order).content.decode()
    assert interval(text) == "1"
    assert "AWS took the answer at" in text
    assert "(0.3 s)" in text
    assert "Execution has not reported yet" in text
    Execution.objects.update(status=ExecutionStatus.SUCCEEDED, seen_at=now, ended_at=now)
    text = panel(client, order).content.decode()
    assert interval(text) is None
    assert "Execution succeeded" in text


def test_an_execution_that_never_ends_is_not_asked_about_for_ever(
    anna: User, order: ApprovalRequest
) -> None:
    approve(order, anna)
    long_ago = timezone.now() - timedelta(hours=2)
    CallbackDelivery.objects.update(
        state=DeliveryState.DELIVERED, owed_at=long_ago, settled_at=long_ago
    )
    assert interval(panel(signed_in(anna), order).content.decode()) is None


def test_running_before_aws_took_the_answer_is_not_going_on(
    anna: User, order: ApprovalRequest
) -> None:
    approve(order, anna)
    now = timezone.now()
    CallbackDelivery.objects.update(state=DeliveryState.DELIVERED, settled_at=now)
    Execution.objects.update(status=ExecutionStatus.RUNNING, seen_at=now - timedelta(seconds=1))
    client = signed_in(anna)
    assert "Execution goes on" not in panel(client, order).content.decode()
    Execution.objects.update(seen_at=now + timedelta(seconds=1))
    assert "Execution goes on" in panel(client, order).content.decode()


@pytest.mark.parametrize(
    ("state", "reply", "words"),
    [
        (DeliveryState.PENDING, Reply.UNAVAILABLE, "Not delivered yet: ThrottlingException"),
        (DeliveryState.UNDELIVERABLE, Reply.CLOSED, "AWS no longer waits"),
        (DeliveryState.UNDELIVERABLE, Reply.REFUSED, "An operator can send it again."),
        (DeliveryState.UNCONFIRMED, Reply.CLOSED, "Not known whether AWS took the answer"),
    ],
)
def test_each_state_of_a_delivery_has_its_own_words(
    anna: User, order: ApprovalRequest, state: DeliveryState, reply: Reply, words: str
) -> None:
    approve(order, anna)
    settled = None if state is DeliveryState.PENDING else timezone.now()
    CallbackDelivery.objects.update(
        state=state, last_reply=reply, detail="ThrottlingException", attempts=2, settled_at=settled
    )
    text = panel(signed_in(anna), order).content.decode()
    assert words in text
    assert "AWS took the answer at" not in text


def test_the_queue_is_told_of_new_requests_for_two_statements(
    anna: User, order: ApprovalRequest, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(anna)
    text = client.get("/requests/").content.decode()
    address = re.search(r'hx-get="([^"]*news[^"]*)"', text)
    assert address
    where = address.group(1).replace("&amp;", "&")
    first = client.get(where)
    assert "new request" not in first.content.decode()
    with django_assert_max_num_queries(2):
        again = client.get(where, headers={"HX-PTag": first["HX-PTag"]})
    assert again.status_code == 304
    make_request(anna)
    make_request(make_user())
    newer = client.get(where, headers={"HX-PTag": first["HX-PTag"]})
    assert "1 new request<" in newer.content.decode()


@pytest.mark.parametrize("query", ["view=all&since=0", "view=needs-me&since=x", "view=x&since=1"])
def test_news_of_what_is_not_there_are_not_found(anna: User, query: str) -> None:
    assert signed_in(anna).get(f"/requests/news/?{query}").status_code == 404


def test_a_poll_still_names_the_run_and_its_heartbeat(anna: User) -> None:
    order = make_request(
        anna, execution_arn="run-name/1", heartbeat_timeout_seconds=30, timeout_seconds=600
    )

    text = signed_in(anna).get(f"/requests/{order.public_id}/panel/").content.decode()

    assert "run-name" in text
    assert "asks for no heartbeat" not in text
