"""Personal tokens: made once, shown once, ended by their owner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from approvals.models import PersonalToken
from tests.factories import make_token, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


def test_a_token_is_shown_once_and_works() -> None:
    client = signed_in(make_user())
    shown = client.post("/tokens/create/", {"name": "deploy", "days": "30"}).content.decode()
    token = re.search(r"cst_[\w-]{43}", shown)
    assert token
    assert token.group() not in client.get("/tokens/").content.decode()
    row = PersonalToken.objects.get()
    assert token.group() not in (row.sha256, row.prefix)
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    headers = {"Authorization": f"Bearer {token.group()}"}
    assert Client().get("/api/v1/requests", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"name": "", "days": "1"}, {"name": "x", "days": "366"}, {"name": "x", "days": "0"}]
)
def test_a_token_without_a_name_or_an_end_in_a_year_is_not_made(fields: dict[str, str]) -> None:
    assert signed_in(make_user()).post("/tokens/create/", fields).status_code == 422
    assert not PersonalToken.objects.exists()


def test_a_revoked_token_is_refused_from_then_on() -> None:
    anna = make_user()
    headers = {"Authorization": f"Bearer {make_token(anna, timezone.now())}"}
    row = PersonalToken.objects.get()
    client = signed_in(anna)
    assert client.post(f"/tokens/{row.pk}/revoke/").status_code == 303
    assert Client().get("/api/v1/requests", headers=headers).status_code == 401
    assert client.post(f"/tokens/{row.pk}/revoke/").status_code == 404


def test_nobody_revokes_the_token_of_another() -> None:
    make_token(make_user(), timezone.now())
    row = PersonalToken.objects.get()
    assert signed_in(make_user(role="admin")).post(f"/tokens/{row.pk}/revoke/").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None
