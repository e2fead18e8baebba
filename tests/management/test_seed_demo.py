"""The demo's source and people, made once and told as often as one asks."""

from __future__ import annotations

import json
import stat

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from approvals import keyring
from approvals.clock import database_now
from approvals.management import demo
from approvals.models import CallbackSource, PersonalToken, SourceKey, SourceSecret, User
from approvals.models.source import digest
from approvals.policy import Wanting
from tests.factories import make_kind, make_request, make_role

pytestmark = pytest.mark.django_db(transaction=True)

RUNNER = "http://127.0.0.1:5000"


@pytest.fixture(autouse=True)
def _here(settings):
    settings.BASE_URL = "http://127.0.0.1:8000"
    for name in ("reviewer", "operator", "auditor", "admin"):
        make_role(name)


def seed(folder, runner: str = RUNNER) -> dict:
    path = folder / "seed.json"
    call_command("seed_demo", "--runner-endpoint", runner, "--out", str(path))
    return json.loads(path.read_text())


def test_it_makes_three_reviewers_in_two_groups_and_one_of_each_other_role(tmp_path):
    people = seed(tmp_path)["people"]
    roles = [person["role"] for person in people]
    assert sorted(roles) == ["admin", "auditor", "operator", *["reviewer"] * 3]
    teams = {person["username"]: person["groups"] for person in people}
    assert teams["priya"] == ["order-desk", "finance"]
    assert {team for groups in teams.values() for team in groups} == {"order-desk", "finance"}
    for person in people:
        user = User.objects.get(username=person["username"])
        assert {group.name for group in user.groups.all()} == {person["role"], *person["groups"]}
        assert user.display_name != user.username


def test_everybody_can_sign_in_with_what_the_file_says(tmp_path, rf):
    for person in seed(tmp_path)["people"]:
        who = {"username": person["username"], "password": person["password"]}
        assert authenticate(rf.post("/"), **who) is not None
        token = PersonalToken.objects.live(database_now()).get(sha256=digest(person["token"]))
        assert token.user.username == person["username"]
        assert (token.expires_at - database_now()).days == 364


def test_only_the_admin_enters_djangos_admin_and_is_no_superuser(tmp_path):
    seed(tmp_path)
    assert User.objects.get(is_staff=True).username == "mara"
    assert not User.objects.filter(is_superuser=True).exists()


def test_the_source_is_bound_to_the_runner_and_its_secrets_are_real(tmp_path):
    told = seed(tmp_path)["source"]
    source = CallbackSource.objects.get(slug=told["slug"])
    assert (source.slug, source.endpoint_url, source.region) == (
        "order-workflow",
        RUNNER,
        "us-west-2",
    )
    assert source.allow_local_runner
    assert SourceKey.objects.live(database_now()).get(source=source).sha256 == digest(
        told["api_key"]
    )
    assert demo.open_source(region="us-west-2", runner_endpoint=RUNNER) == told["signing_secret"]


def test_orders_without_assignees_reach_the_order_desk(tmp_path):
    seed(tmp_path)
    source = CallbackSource.objects.get()
    request = make_request(source=source, users=[], wanting=Wanting(requested_by="dana"))
    assert [row.group.name for row in request.assignments.all()] == ["order-desk"]


def test_a_second_run_says_the_same_and_keeps_what_is_there(tmp_path):
    first = seed(tmp_path)
    (tmp_path / "seed.json").unlink()  # the demo does not leave it lying about
    User.objects.filter(username="dana").update(first_name="Diana")
    hashes = dict(User.objects.values_list("username", "password"))
    second = seed(tmp_path, runner="http://127.0.0.1:6000")
    assert second == first
    assert dict(User.objects.values_list("username", "password")) == hashes
    assert User.objects.get(username="dana").first_name == "Diana"
    assert CallbackSource.objects.get().endpoint_url == "http://127.0.0.1:6000"
    assert (PersonalToken.objects.count(), SourceSecret.objects.count()) == (6, 1)


def test_a_password_that_was_changed_is_told_truly_again(tmp_path, rf):
    person = seed(tmp_path)["people"][0]
    user = User.objects.get(username=person["username"])
    user.set_password("something else entirely")
    user.save(update_fields=["password"])
    seed(tmp_path)
    who = {"username": person["username"], "password": person["password"]}
    assert authenticate(rf.post("/"), **who) is not None


def test_another_installation_has_other_secrets(tmp_path, settings):
    first = [(person.username, demo.password_of(person)) for person in demo.CAST]
    settings.SECRET_KEY = "another-" + "y" * 50
    second = [(person.username, demo.password_of(person)) for person in demo.CAST]
    assert not set(first) & set(second)
    assert all(len(password) == 16 for _, password in second)


def test_the_file_is_for_its_owner_only(tmp_path):
    (tmp_path / "seed.json").write_text("{}")
    (tmp_path / "seed.json").chmod(0o644)
    seed(tmp_path)
    assert stat.S_IMODE((tmp_path / "seed.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "address", ["https://approvals.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"]
)
def test_it_refuses_to_make_people_on_a_portal_others_can_reach(tmp_path, settings, address):
    settings.BASE_URL = address
    with pytest.raises(CommandError, match="not an address of this machine"):
        seed(tmp_path)
    assert not User.objects.exists()


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://[::1]:8000"])
def test_every_name_of_this_machine_will_do(tmp_path, settings, address):
    settings.BASE_URL = address
    seed(tmp_path)


def test_a_secret_of_other_keys_stops_it_with_what_to_do(tmp_path, settings):
    seed(tmp_path)
    settings.FIELD_KEYS = [("other", b"o" * 32)]
    keyring._cipher.cache_clear()
    with pytest.raises(CommandError, match="put the former key back"):
        seed(tmp_path)


def test_reasons_for_rejecting_an_order_are_offered_and_an_admins_own_are_kept(tmp_path):
    order = make_kind("order", reject_reasons=[])
    seed(tmp_path)
    order.refresh_from_db()
    assert order.reject_reasons == demo.REASONS
    make_kind("order", reject_reasons=["Ours"])
    seed(tmp_path)
    order.refresh_from_db()
    assert order.reject_reasons == ["Ours"]
