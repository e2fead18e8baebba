"""Personal tokens: made once, shown once, ended by their owner."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from approvals import lifecycle
from approvals.models import PersonalToken, SourceRole, User
from approvals.models.sight import seen_by
from approvals.review import tokens
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_source, make_team, make_token, make_user
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


@pytest.mark.django_db(transaction=True)
def test_a_decision_sees_what_the_page_sees() -> None:
    now = timezone.now()
    asked, teammate, decided, stranger, gone, local, team_local = (
        make_user(name) for name in ("asked", "mate", "decided", "stranger", "gone", "l", "tl")
    )
    teammate.groups.add(make_team("desk"))
    team_local.groups.add(make_team("locals"))
    people = [asked, teammate, decided, stranger, gone, local, team_local]
    people += [make_user(f"a-{role}", role=role) for role in ("operator", "auditor", "admin")]
    chief = make_user("chief")
    User.objects.filter(pk=chief.pk).update(is_superuser=True)
    named = make_user("named")
    named.user_permissions.add(Permission.objects.get(codename="audit"))
    source = make_source()
    request = make_request(asked, decided, source=source, groups=["desk"], required_approvals=2)
    other = make_request(asked)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=decided, channel=Channel.API)
    request.assignments.filter(user=decided).delete()
    SourceRole.objects.create(source=source, may="operate", user=local)
    SourceRole.objects.create(source=source, may="audit", group=make_team("locals"))
    SourceRole.objects.create(source=source, may="review", user=stranger)

    seen = {}
    for person in User.objects.all():
        token = make_token(person, now)
        for row in (request, other):
            entry = tokens.enter(token, row.public_id, now=now)
            assert entry is not None
            assert entry.owner == person
            found = seen_by(person).filter(pk=row.pk).first()
            assert entry.request_id == (found.pk if found else None), person
            seen[person.username, row.pk] = found is not None
    assert not seen["stranger", request.pk]
    assert seen["decided", request.pk]
    assert not seen["l", other.pk]
    assert len(set(seen.values())) == 2


@pytest.mark.django_db(transaction=True)
def test_a_token_that_stands_for_nobody_enters_nowhere() -> None:
    now = timezone.now()
    anna = make_user("anna")
    request = make_request(anna)
    token = make_token(anna, now)
    later = now + timedelta(days=2)

    assert tokens.enter(token + "x", request.public_id, now=now) is None
    assert tokens.enter(token, request.public_id, now=later) is None
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert tokens.enter(token, request.public_id, now=now) is None
    User.objects.filter(pk=anna.pk).update(is_active=True)
    assert tokens.enter(token, uuid4(), now=now) is not None
    tokens.revoke(anna, anna.tokens.get().pk, now=now)
    assert tokens.enter(token, request.public_id, now=now) is None
