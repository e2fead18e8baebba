"""Django's admin keeps people, teams and kinds, and only shows the rest."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from approvals import lifecycle, models
from approvals.clock import database_now
from approvals.states import ChangeTag, Channel, Verdict
from tests.factories import make_request, make_role, make_source, make_user

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = [
    models.ApprovalRequest, models.Decision, models.CallbackDelivery, models.Heartbeat,
    models.AuditEvent, models.Notice, models.CallbackSource, models.RequestKind,
    models.ChangeEvent, models.Comment, models.QuestionDelivery,
]  # fmt: skip
KEPT = [models.User, Group]
#: What the migration grants the role; a transactional test starts without it.
GRANTS = {models.User, Group}


@pytest.fixture
def mara(client):
    role = make_role("admin")
    for model in GRANTS:
        content_type = ContentType.objects.get_for_model(model)
        for verb in ("view", "add", "change"):
            codename = f"{verb}_{model._meta.model_name}"
            role.permissions.add(
                Permission.objects.get(content_type=content_type, codename=codename)
            )
    person = make_user("mara", role="admin")
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    client.force_login(person)
    return person


@pytest.fixture
def decided():
    rita = make_user("rita")
    source = make_source(questions_mail="orders@example.com")
    request = make_request(rita, source=source, title="NO-1", heartbeat_timeout_seconds=30)
    lifecycle.comment(request.pk, author=rita, text="Which depot?", asks_requester=True)
    models.ChangeEvent.objects.record(
        ChangeTag.SOURCE_MADE, "source:orders", at=database_now(), actor=rita
    )
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=rita, channel=Channel.BROWSER)
    return request


def address(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_all_that_is_registered_is_tested_here():
    ours = {model for model in admin.site._registry if model.__module__.startswith("approvals")}
    assert ours | {Group} == {*SHOWN, *KEPT}


@pytest.mark.parametrize("model", SHOWN)
def test_rows_with_a_desk_of_their_own_are_only_looked_at(client, mara, decided, model):
    row = model.objects.first()
    assert client.get(address(model, "changelist")).status_code == 200
    assert client.get(address(model, "change", row.pk)).status_code == 200
    assert client.get(address(model, "add")).status_code == 403
    assert client.get(address(model, "delete", row.pk)).status_code == 403
    assert client.post(address(model, "change", row.pk), {"state": "x"}).status_code == 403
    gone = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(address(model, "changelist"), gone)
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", SHOWN)
def test_not_even_a_superuser_changes_them_here(client, mara, decided, model):
    models.User.objects.filter(pk=mara.pk).update(is_superuser=True)
    row = model.objects.first()
    assert client.post(address(model, "change", row.pk), {}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_no_page_shows_a_callback_id_a_payload_or_a_secret(client, mara):
    secret_payload = {"card": "4111-payload"}
    source = make_source("orders")
    row, secret = models.SourceSecret.new(source)
    row.save()
    key_row, key = models.SourceKey.new(source)
    key_row.save()
    request = make_request(make_user(), source=source, payload=secret_payload)
    lifecycle.claim(request.pk, reviewer=request.assignments.get().user)
    for model in SHOWN:
        pages = [address(model, "changelist")]
        pages += [address(model, "change", row.pk) for row in model.objects.all()]
        for page in pages:
            content = client.get(page).content.decode()
            for hidden in (request.callback_id, "4111-payload", secret, key, key_row.sha256):
                assert hidden not in content


@pytest.mark.parametrize("role", ["reviewer", "operator", "auditor", "admin"])
def test_without_being_staff_nobody_enters(client, role):
    client.force_login(make_user(role=role))
    assert client.get("/admin/", follow=True).status_code == 403


def test_strangers_sign_in_where_everybody_does(client):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_an_admin_adds_a_person_gives_them_a_role_and_lets_them_go(client, mara):
    reviewer = make_role("reviewer")
    password = "a rather long pass phrase"
    new = {
        "username": "nina",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    assert client.post(address(models.User, "add"), new).status_code == 302
    nina = models.User.objects.get(username="nina")
    page = address(models.User, "change", nina.pk)
    assert client.post(
        page, {"username": "nina", "is_active": "on", "groups": [reviewer.pk]}
    ).status_code == 302  # fmt: skip
    assert models.User.objects.reviewers(0).filter(pk=nina.pk).exists()
    assert client.post(page, {"username": "nina", "groups": [reviewer.pk]}).status_code == 302
    nina.refresh_from_db()
    assert not nina.is_active
    assert client.post(address(models.User, "delete", nina.pk), {"post": "yes"}).status_code == 403


def test_an_admin_makes_nobody_a_superuser_and_gives_no_single_right(client, mara):
    nina = make_user("nina")
    review = Permission.objects.get(codename="review")
    wish = {"username": "nina", "is_active": "on", "is_superuser": "on"}
    wish["user_permissions"] = [review.pk]
    assert client.post(address(models.User, "change", nina.pk), wish).status_code == 302
    nina.refresh_from_db()
    assert not nina.is_superuser
    assert not nina.user_permissions.exists()


def test_an_admin_cannot_take_over_a_superuser(client, mara):
    root = models.User.objects.create_superuser("root", password="a long enough password")
    change = address(models.User, "change", root.pk)
    assert client.post(change, {"username": "root"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403
    root.refresh_from_db()
    assert root.check_password("a long enough password")


def test_a_team_is_made_and_renamed_and_a_role_is_not(client, mara):
    assert client.post(address(Group, "add"), {"name": "night-shift"}).status_code == 302
    team = Group.objects.get(name="night-shift")
    client.post(address(Group, "change", team.pk), {"name": "late-shift"})
    role = make_role("operator")
    assert client.post(address(Group, "change", role.pk), {"name": "x"}).status_code == 403
    assert Group.objects.filter(name__in=["late-shift", "operator"]).count() == 2


def test_an_operator_who_is_staff_looks_but_keeps_nothing(client):
    olu = make_user("olu", role="operator")
    models.User.objects.filter(pk=olu.pk).update(is_staff=True)
    client.force_login(olu)
    assert client.get(address(models.AuditEvent, "changelist")).status_code == 200
    assert client.get(address(models.User, "changelist")).status_code == 403
    assert client.get(address(Group, "changelist")).status_code == 403


def test_the_migration_grants_the_role_what_these_tests_grant_it():
    role = make_role("admin")
    for name in (
        "0004_admins_keep_people_and_kinds",
        "0009_requirements_stay_settings_are_history",
    ):
        import_module(f"approvals.migrations.{name}").forward(apps, None)
    granted = set(role.permissions.values_list("content_type__model", "codename"))
    expected = {
        (model._meta.model_name, f"{verb}_{model._meta.model_name}")
        for model in GRANTS
        for verb in ("view", "add", "change")
    }
    assert granted == expected | {
        ("user", "operate"),
        ("user", "audit"),
        ("user", "administer"),
    }
