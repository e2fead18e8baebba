"""Rotation and disabling while a source's messages and requests are in flight."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals import lifecycle
from approvals.callbacks.delivery import deliver_due
from approvals.callbacks.heartbeats import beat_due
from approvals.models import ApprovalRequest, CallbackDelivery, User
from approvals.states import Channel, DeliveryState, RequestState, Verdict
from tests.factories import make_user
from tests.fakes.gateway import ScriptedGateway
from tests.intake.sender import Sender, make_sender, order, problem_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> Client:
    """An admin's browser."""
    client = Client()
    client.force_login(make_user("mara", role="admin"))
    return client


@pytest.fixture
def anna(transactional_db: None) -> User:
    return make_user("anna")


@pytest.fixture
def sender(anna: User) -> Sender:
    return make_sender()


def body(number: int) -> bytes:
    return json.dumps(order(callback_id=f"Y2FsbGJhY2s{number:06d}")).encode()


def rotate(desk: Client, sender: Sender, overlap: str) -> str:
    answer = desk.post(reverse("approvals:make-secret", args=["orders"]), {"overlap": overlap})
    assert answer.status_code == 200
    found = re.search(r"whsec_[A-Za-z0-9+/]{43}=", unescape(answer.content.decode()))
    assert found
    return found.group()


def test_both_secrets_count_during_the_overlap_in_either_order_and_then_only_the_new(desk, sender):
    old = sender.secret
    in_flight = sender.signed(body(0), secret=old)  # signed before, arrives after
    new = rotate(desk, sender, "hour")
    assert sender.post(body(0), headers=in_flight).status_code == 201
    for number, secret in enumerate((new, old, old, new), start=1):
        message = body(number)
        assert (
            sender.post(message, headers=sender.signed(message, secret=secret)).status_code == 201
        )
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        late = body(9)
        problem_of(sender.post(late, headers=sender.signed(late, secret=old)), 401)
        assert sender.post(late, headers=sender.signed(late, secret=new)).status_code == 201


def test_a_message_that_names_both_signatures_passes_while_one_of_them_counts(desk, sender):
    new = rotate(desk, sender, "at-once")
    at = timezone.now()
    headers = sender.signed(body(1), at=at)
    other = sender.signed(body(1), at=at, secret=new)["webhook-signature"]
    headers["webhook-signature"] += f" {other}"
    assert sender.post(body(1), headers=headers).status_code == 201


def test_at_once_the_old_secret_is_refused_and_a_repeat_with_the_new_one_is_the_same_request(
    desk, sender
):
    assert sender.post(body(1)).status_code == 201
    new = rotate(desk, sender, "at-once")
    problem_of(sender.post(body(1)), 401)
    again = sender.post(body(1), headers=sender.signed(body(1), secret=new))
    assert again.status_code == 200
    assert ApprovalRequest.objects.count() == 1


def test_an_ended_key_is_refused_like_any_other(desk, sender):
    headers = {"Authorization": f"Bearer {sender.key}"}
    assert sender.post(body(1), headers=headers).status_code == 201
    made = desk.post(
        reverse("approvals:make-key", args=["orders"]),
        {"purpose": "requests", "overlap": "at-once"},
    )
    problem_of(sender.post(body(2), headers=headers), 401)
    key = re.search(r"csk_[A-Za-z0-9_-]{43}", made.content.decode())
    assert key
    headers = {"Authorization": f"Bearer {key.group()}"}
    assert sender.post(body(2), headers=headers).status_code == 201


def test_a_key_for_events_opens_no_request(desk, sender):
    made = desk.post(
        reverse("approvals:make-key", args=["orders"]), {"purpose": "events", "overlap": "day"}
    )
    key = re.search(r"csk_[A-Za-z0-9_-]{43}", made.content.decode())
    assert key
    headers = {"Authorization": f"Bearer {key.group()}"}
    problem_of(sender.post(body(1), headers=headers), 401)


def test_a_disabled_source_is_refused_in_the_words_of_an_unknown_one(desk, sender):
    unknown = sender.post(body(1), to="/api/v1/sources/nobody/requests")
    opened = sender.post(body(1)).json()
    desk.post(reverse("approvals:disable-source", args=["orders"]))
    refused = sender.post(body(2))
    assert problem_of(refused, 401) == problem_of(unknown, 401)
    problem_of(sender.get(f"/{opened['id']}"), 401)
    problem_of(sender.withdraw(opened["id"]), 401)
    desk.post(reverse("approvals:enable-source", args=["orders"]))
    assert sender.post(body(2)).status_code == 201


def test_what_is_open_at_a_disabled_source_is_decided_and_delivered(desk, sender, anna):
    sender.open(heartbeat_timeout_seconds=60)
    desk.post(reverse("approvals:disable-source", args=["orders"]))
    gateway = ScriptedGateway()
    beat_due(gateway)
    browser = Client()
    browser.force_login(anna)
    row = ApprovalRequest.objects.get()
    assert browser.get(row.get_absolute_url()).status_code == 200
    lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    deliver_due(gateway)
    row.refresh_from_db()
    assert row.state == RequestState.APPROVED
    assert CallbackDelivery.objects.get().state == DeliveryState.DELIVERED
    assert [verb for verb, _ in gateway.calls] == ["beat", "succeed"]
