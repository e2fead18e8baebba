"""An operator has an answer sent again; nobody else does, and never without a reason."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import InvalidFields, NotRedrivable
from approvals.models import AuditEvent, CallbackDelivery, User
from approvals.states import AuditTag, Channel, DeliveryState, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olu(client) -> User:
    operator = make_user("olu", role="operator")
    client.force_login(operator)
    return operator


@pytest.fixture
def refused() -> CallbackDelivery:
    """An answer AWS refused."""
    reviewer = make_user("rita")
    request = make_request(reviewer)
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER
    )
    CallbackDelivery.objects.update(
        state=DeliveryState.UNDELIVERABLE,
        last_reply="refused",
        detail="InvalidParameterValueException: No.",
        settled_at=database_now(),
        attempts=1,
    )
    return CallbackDelivery.objects.get()


def press(client, delivery: CallbackDelivery, **data: str):
    address = reverse("approvals:operations-redrive", args=[delivery.request.public_id])
    return client.post(address, data)


def test_a_reason_makes_the_answer_owed_again_and_history_has_both(client, olu, refused):
    body = refused.body
    answer = press(client, refused, reason=" The key is mended. ")
    assert answer.status_code == 303
    assert answer["Location"] == reverse("approvals:operations-deliveries")
    refused.refresh_from_db()
    assert refused.state == DeliveryState.PENDING
    assert refused.settled_at is None
    assert refused.next_attempt_at <= database_now()
    assert refused.body == body
    event = AuditEvent.objects.get(tag=AuditTag.REDRIVEN)
    assert (event.actor, event.facts) == (olu, {"reason": "The key is mended."})
    assert AuditEvent.objects.broken_at(refused.request) is None
    assert "is sent again now" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
def test_without_a_usable_reason_nothing_is_sent_and_the_field_says_why(
    client, olu, refused, reason
):
    answer = press(client, refused, reason=reason)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="redrive-{refused.pk}-reason_error"' in page
    assert '<details class="more" open>' in page
    refused.refresh_from_db()
    assert refused.state == DeliveryState.UNDELIVERABLE


def test_a_mended_reason_is_kept_in_its_field(client, olu, refused):
    page = press(client, refused, reason="<i>" + "x" * 500).content.decode()
    assert escape("<i>" + "x" * 500) in page


@pytest.mark.parametrize("state", ["pending", "delivered", "unconfirmed"])
def test_only_an_undeliverable_answer_is_sent_again(client, olu, refused, state):
    fresh = {"state": state, "settled_at": None if state == "pending" else database_now()}
    CallbackDelivery.objects.update(**{**fresh, "state": "pending", "settled_at": None})
    CallbackDelivery.objects.update(**fresh)
    answer = press(client, refused, reason="Again.")
    assert answer.status_code == 409
    assert "there is nothing to send again" in answer.content.decode()
    assert not AuditEvent.objects.filter(tag=AuditTag.REDRIVEN).exists()


def test_pressing_twice_sends_it_again_once(client, olu, refused):
    assert press(client, refused, reason="Again.").status_code == 303
    assert press(client, refused, reason="Again.").status_code == 409
    assert AuditEvent.objects.filter(tag=AuditTag.REDRIVEN).count() == 1


@pytest.mark.parametrize(
    ("role", "status"), [("auditor", 403), ("reviewer", 404), ("admin", 303), ("operator", 303)]
)
def test_who_only_looks_may_not_press(client, refused, role, status):
    client.force_login(make_user(role=role))
    assert press(client, refused, reason="Again.").status_code == status
    refused.refresh_from_db()
    assert (refused.state == DeliveryState.PENDING) == (status == 303)


def test_auditors_see_no_button(client, refused):
    client.force_login(make_user(role="auditor"))
    page = client.get(reverse("approvals:operations-deliveries")).content.decode()
    assert "InvalidParameterValueException" in page
    assert "Send again…" not in page


def test_operators_see_the_button_only_where_it_can_be_pressed(client, olu, refused):
    page = reverse("approvals:operations-deliveries")
    assert "Send again…" in client.get(page).content.decode()
    CallbackDelivery.objects.update(state=DeliveryState.PENDING, settled_at=None)
    assert "Send again…" not in client.get(page).content.decode()


def test_strangers_sign_in_first(client, refused):
    answer = press(client, refused, reason="Again.")
    assert answer.status_code == 302
    refused.refresh_from_db()
    assert refused.state == DeliveryState.UNDELIVERABLE


def test_looking_at_the_address_sends_nothing(client, olu, refused):
    address = reverse("approvals:operations-redrive", args=[refused.request.public_id])
    assert client.get(address).status_code == 405


def test_an_answer_there_is_not_is_404(client, olu):
    request = make_request(make_user())
    address = reverse("approvals:operations-redrive", args=[request.public_id])
    assert client.post(address, {"reason": "x"}).status_code == 404


def test_the_form_is_protected_against_other_sites(refused):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(role="operator"))
    assert press(strict, refused, reason="Again.").status_code == 403


def test_the_desk_refuses_by_itself(refused):
    operator = make_user(role="operator")
    with pytest.raises(InvalidFields):
        lifecycle.redrive(refused.pk, operator=operator, reason="\t")
    with pytest.raises(InvalidFields):
        lifecycle.redrive(refused.pk, operator=operator, reason="a\0")
    lifecycle.redrive(refused.pk, operator=operator, reason="Mended.")
    with pytest.raises(NotRedrivable):
        lifecycle.redrive(refused.pk, operator=operator, reason="Mended.")
