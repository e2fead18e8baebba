"""Sources on their pages: who sees what, what a press does, what is shown once."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import keeping
from approvals.clock import database_now
from approvals.keeping import Overlap
from approvals.models import (
    CallbackSource,
    ChangeEvent,
    SourceKey,
    SourceRole,
    SourceSecret,
    User,
)
from tests.factories import make_request, make_source, make_team, make_user
from tests.operations.settings_forms import ARN, source_form

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("approvals:sources")
NEW = reverse("approvals:new-source")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
KEY = re.compile(r"csk_[A-Za-z0-9_-]{43}")


def at(name: str, *args: object) -> str:
    return reverse(f"approvals:{name}", args=["orders", *args])


PAGE, CHANGE = at("source"), at("change-source")
PRESSES = [
    at("disable-source"), at("enable-source"), at("make-secret"), at("end-secret", 1),
    at("make-key"), at("end-key", 1), at("give-role"), at("take-role", 1), CHANGE,
]  # fmt: skip


@pytest.fixture
def mara(client) -> User:
    admin = make_user("mara", role="admin")
    client.force_login(admin)
    return admin


@pytest.fixture
def orders(transactional_db: None) -> CallbackSource:
    return make_source("orders", name="Orders", function_arns=[ARN], allow_local_runner=False)


def words(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def secret_of(source: CallbackSource) -> SourceSecret:
    row, _ = SourceSecret.new(source)
    row.save()
    return row


@pytest.mark.parametrize("page", [LIST, PAGE])
@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("auditor", 200), ("admin", 200), ("reviewer", 404)]
)
def test_who_oversees_something_may_look(client, orders, page, role, status):
    client.force_login(make_user(role=role))
    answer = client.get(page)
    assert answer.status_code == status
    assert status == 404 or "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("page", [LIST, NEW, PAGE, CHANGE])
def test_strangers_sign_in_first(client, orders, page):
    assert client.get(page)["Location"].startswith(reverse("account_login"))


def test_a_scoped_operator_sees_their_source_and_no_other(client, orders):
    olu = make_user("olu")
    make_source("other", name="Other one")
    keeping.give_role("orders", may="operate", username="olu", admin=None)
    client.force_login(olu)
    listed = words(client.get(LIST))
    assert "Orders" in listed
    assert "Other one" not in listed
    assert client.get(PAGE).status_code == 200
    assert client.get(reverse("approvals:source", args=["other"])).status_code == 404
    assert client.post(PRESSES[0]).status_code == 403
    other = reverse("approvals:disable-source", args=["other"])
    assert client.post(other).status_code == 404


@pytest.mark.parametrize("press", [NEW, *PRESSES])
@pytest.mark.parametrize(
    ("role", "status"), [("operator", 403), ("auditor", 403), ("reviewer", 404)]
)
def test_nobody_but_an_admin_presses_anything(client, orders, press, role, status):
    secret_of(orders)
    client.force_login(make_user(role=role))
    assert client.post(press, source_form()).status_code == status
    assert not ChangeEvent.objects.exists()


def test_who_only_looks_is_offered_no_press(client, orders):
    secret_of(orders)
    client.force_login(make_user(role="auditor"))
    page = client.get(PAGE).content.decode()
    posts = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert posts == [reverse("account_logout")]
    assert NEW not in client.get(LIST).content.decode()


def test_who_lost_the_right_between_look_and_press_is_refused_by_the_desk(
    client, mara, orders, monkeypatch
):
    monkeypatch.setattr("approvals.operations.views.keepers.may_keep", lambda person: True)
    client.force_login(make_user(role="operator"))
    assert client.post(at("disable-source")).status_code == 403
    orders.refresh_from_db()
    assert orders.active


@pytest.mark.parametrize("press", [press for press in PRESSES if press != CHANGE])
def test_looking_changes_nothing(client, mara, orders, press):
    SourceSecret.objects.bulk_create([SourceSecret.new(orders)[0]])
    answer = client.get(press)
    assert answer.status_code == 405 or (answer.status_code, answer["Location"]) == (303, PAGE)
    assert not ChangeEvent.objects.exists()


@pytest.mark.parametrize("press", ["make-secret", "make-key", "give-role"])
def test_the_address_of_an_answer_leads_back_to_the_source(client, mara, orders, press):
    answer = client.get(at(press))
    assert (answer.status_code, answer["Location"]) == (303, PAGE)


def test_a_press_without_its_token_is_refused(mara, orders):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mara)
    assert strict.post(at("disable-source")).status_code == 403
    orders.refresh_from_db()
    assert orders.active


def test_a_new_source_shows_its_secret_and_key_this_once(client, mara):
    make_team("order-desk")
    posted = source_form(slug="orders", default_users="mara", default_groups=["order-desk"])
    answer = client.post(NEW, posted)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    page = unescape(answer.content.decode())
    secret, key = SECRET.search(page).group(), KEY.search(page).group()
    assert f'data-copy="{secret}"' in page
    again = unescape(client.get(PAGE).content.decode())
    assert secret not in again
    assert key not in again
    assert "whsec_" not in str(dict(client.session))
    source = CallbackSource.objects.get()
    assert [team.name for team in source.default_groups.all()] == ["order-desk"]


def test_posting_the_new_source_again_makes_no_second(client, mara):
    client.post(NEW, source_form(slug="orders"))
    answer = client.post(NEW, source_form(slug="orders"))
    assert answer.status_code == 422
    assert "already exists" in words(answer)
    assert SourceSecret.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "This is needed."),
        ({"slug": "Or ders"}, "Use lower case letters"),
        ({"region": "Stockholm"}, "Write a region of AWS"),
        ({"function_arns": "orders"}, "Not a function ARN"),
        ({"function_arns": ""}, "Name at least one function"),
        ({"role_arn": "role"}, "Write arn:aws:iam::"),
        ({"endpoint_url": "http://169.254.169.254/"}, "Write https://HOST"),
        ({"default_users": "nobody"}, "Nobody active is called nobody."),
        ({"default_groups": ["reviewer"]}, "There is no team reviewer"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_needs_mending_is_said_beside_the_field_and_what_was_typed_is_kept(
    client, mara, wrong, sentence
):
    posted = source_form(slug="orders", external_id="typed-this") | wrong
    answer = client.post(NEW, posted)
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert sentence in page
    field = next(iter(wrong))
    assert f'aria-describedby="id_{field}_' in page
    assert 'value="typed-this"' in page
    assert not CallbackSource.objects.exists()


def test_a_change_is_saved_and_told(client, mara, orders):
    seen = re.search(r'name="seen" value="(\d+)"', client.get(CHANGE).content.decode()).group(1)
    answer = client.post(CHANGE, source_form(name="Order desk", seen=seen))
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    said = words(client.get(PAGE))
    assert "Order desk is changed." in said
    assert "changed the name" in said


def test_what_was_and_what_is_stand_side_by_side(client, mara, orders):
    role = "arn:aws:iam::123456789012:role/countersign"
    client.post(CHANGE, source_form(role_arn=role, external_id="xx", allow_local_runner="on"))
    page = " ".join(client.get(PAGE).content.decode().split())
    assert f"the role: <del>nothing</del> <ins>{role}</ins>" in page
    assert "the external ID: <del>not set</del> <ins>set</ins>" in page
    assert "the local runner: <del>not set</del> <ins>set</ins>" in page


@pytest.mark.parametrize("wrong", [{"name": ""}, {"region": "x"}])
def test_a_change_that_makes_no_sense_is_422_and_written_nowhere(client, mara, orders, wrong):
    answer = client.post(CHANGE, source_form(seen="0") | wrong)
    assert answer.status_code == 422
    assert "Change Orders" in words(answer)
    assert not ChangeEvent.objects.exists()


def test_the_form_of_a_new_source_is_empty(client, mara):
    answer = client.get(NEW)
    assert answer.status_code == 200
    assert "whsec_" not in answer.content.decode()


def test_saving_what_stands_says_that_nothing_was_different(client, mara, orders):
    client.post(CHANGE, source_form(seen="0"))
    assert "Nothing was different." in words(client.get(PAGE))
    assert not ChangeEvent.objects.exists()


def test_the_second_of_two_admins_is_told_and_keeps_what_was_typed(client, mara, orders):
    client.post(CHANGE, source_form(name="First", seen="0"))
    answer = client.post(CHANGE, source_form(name="Second", seen="0"))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Somebody was faster." in page
    assert 'value="Second"' in page
    orders.refresh_from_db()
    assert orders.name == "First"
    seen = re.search(r'name="seen" value="(\d+)"', page).group(1)
    assert client.post(CHANGE, source_form(name="Second", seen=seen)).status_code == 303


def test_a_rotated_secret_is_shown_this_once_and_the_former_one_is_seen_ending(
    client, mara, orders
):
    secret_of(orders)
    answer = client.post(at("make-secret"), {"overlap": "day"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert len(set(SECRET.findall(unescape(answer.content.decode())))) == 1
    page = client.get(PAGE).content.decode()
    assert not SECRET.search(page)
    assert "2 live" in words(client.get(LIST))
    assert "1 ending" in words(client.get(LIST))


def test_a_third_secret_is_refused_with_what_to_do(client, mara, orders):
    for _ in range(2):
        secret_of(orders)
    answer = client.post(at("make-secret"), {"overlap": "hour"})
    assert answer.status_code == 422
    assert "End one of them first, or let all of them end at once." in words(answer)
    assert SourceSecret.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "status"),
    [("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 303), ("my own secret", 422), ("x" * 201, 422)],
)
def test_a_secret_that_was_pasted_is_never_written_back(client, mara, orders, given, status):
    answer = client.post(at("make-secret"), {"overlap": "day", "given": given})
    assert answer.status_code == status
    assert given not in answer.content.decode()
    assert given not in client.get(PAGE).content.decode()
    assert SourceSecret.objects.count() == (status == 303)


def test_a_secret_is_ended_by_a_press(client, mara, orders):
    row = secret_of(orders)
    assert client.post(at("end-secret", row.pk)).status_code == 303
    assert not SourceSecret.objects.live(database_now()).exists()
    assert client.post(at("end-secret", row.pk)).status_code == 404
    assert "none live" in words(client.get(LIST))


def test_what_is_live_is_on_the_page_however_many_ended_after_it(client, mara, orders):
    live = secret_of(orders)
    for _ in range(8):
        row = secret_of(orders)
        keeping.end_secret("orders", row.pk, admin=mara)
    said = words(client.get(PAGE))
    assert f"End secret {live.pk}" in said
    assert "No other is live: nothing signed is taken then." in said
    assert said.count("ended signing secret") == 8


def test_a_key_is_made_shown_once_and_ended(client, mara, orders):
    answer = client.post(at("make-key"), {"purpose": "events", "overlap": "day"})
    assert answer.status_code == 200
    key = KEY.search(answer.content.decode()).group()
    page = client.get(PAGE).content.decode()
    assert key not in page
    assert key[:10] in page
    row = SourceKey.objects.get()
    assert client.post(at("end-key", row.pk)).status_code == 303
    assert client.post(at("end-key", row.pk)).status_code == 404


@pytest.mark.parametrize(
    "posted", [{}, {"purpose": "all", "overlap": "day"}, {"purpose": "events", "overlap": "never"}]
)
def test_a_key_that_makes_no_sense_is_not_made(client, mara, orders, posted):
    assert client.post(at("make-key"), posted).status_code == 422
    assert client.post(at("make-secret"), {"overlap": "never"}).status_code == 422
    assert not SourceKey.objects.exists()


def test_a_third_key_is_refused_with_what_to_do(client, mara, orders):
    for _ in range(2):
        keeping.make_key("orders", purpose="events", admin=mara, overlap=Overlap.DAY)
    answer = client.post(at("make-key"), {"purpose": "events", "overlap": "day"})
    assert answer.status_code == 422
    assert "End one of them first" in words(answer)


def test_a_role_is_given_and_taken_by_presses(client, mara, orders):
    make_user("olu")
    give = {"may": "operate", "username": "olu", "group": ""}
    assert client.post(at("give-role"), give).status_code == 303
    assert "may operate here" in words(client.get(PAGE))
    again = client.post(at("give-role"), give)
    assert again.status_code == 422
    assert "holds this role here already" in words(again)
    role = SourceRole.objects.get()
    assert client.post(at("take-role", role.pk)).status_code == 303
    assert client.post(at("take-role", role.pk)).status_code == 404


@pytest.mark.parametrize("group", ["reviewer", "admin"])
def test_a_role_is_not_given_to_a_role(client, mara, orders, group):
    make_user("anna")
    answer = client.post(at("give-role"), {"may": "audit", "username": "", "group": group})
    assert answer.status_code == 422
    assert not SourceRole.objects.exists()


def test_the_danger_is_told_before_and_undone_after(client, mara, orders):
    make_request(make_user("anna"), source=orders)
    said = words(client.get(PAGE))
    assert "1 request waits: people can still decide." in said
    assert client.post(at("disable-source")).status_code == 303
    said = words(client.get(PAGE))
    assert "This source is disabled." in said
    assert "disabled it while 1 request waited" in said
    assert client.post(at("enable-source")).status_code == 303
    assert "This source is disabled." not in words(client.get(PAGE))


def test_a_source_that_is_not_there_is_404(client, mara):
    for name in ("source", "change-source"):
        assert client.get(at(name)).status_code == 404
    assert client.post(at("disable-source")).status_code == 404


def test_the_rail_leads_there_for_who_oversees_something(client, mara, orders):
    for person in (mara, make_user("olu", role="operator"), make_user("noor", role="auditor")):
        client.force_login(person)
        assert f'href="{LIST}"' in client.get(reverse("approvals:queue")).content.decode()
    client.force_login(make_user("anna"))
    assert f'href="{LIST}"' not in client.get(reverse("approvals:queue")).content.decode()


def test_an_external_id_is_not_shown_to_who_only_looks(client, orders):
    CallbackSource.objects.update(external_id="half-a-key")
    client.force_login(make_user(role="auditor"))
    assert "half-a-key" not in client.get(PAGE).content.decode()


def test_the_list_asks_as_many_questions_for_many_sources_as_for_one(
    client, mara, orders, django_assert_num_queries
):
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for _ in range(5):
        make_source()
    with django_assert_num_queries(len(one)):
        client.get(LIST)


def test_asking_aws_about_callbacks_is_a_setting_with_a_history(client, mara, orders):
    assert "Callbacks taken as sent; AWS is not asked" in words(client.get(PAGE))
    assert "It needs lambda:GetDurableExecutionHistory." in words(client.get(CHANGE))

    client.post(CHANGE, source_form(verify_callbacks="on"))

    orders.refresh_from_db()
    assert orders.verify_callbacks
    page = words(client.get(PAGE))
    assert "AWS is asked about each one when it comes in" in page
    assert "asking AWS about callbacks" in page
    assert ChangeEvent.objects.get().facts["changed"]["verify_callbacks"] == [False, True]


@pytest.mark.parametrize(("purpose", "told"), [("events", True), ("requests", False)])
def test_a_new_key_for_events_says_where_it_goes(client, mara, orders, purpose, told):
    answer = client.post(at("make-key"), {"purpose": purpose, "overlap": "at-once"})

    shown = words(answer).partition("Waiting")[0]
    assert ("in the connection of an API destination that posts to" in shown) is told


def test_the_source_says_where_events_go_and_whether_a_key_is_there(client, mara, orders):
    without = words(client.get(PAGE))
    assert "/api/v1/sources/orders/events" in without
    assert "which this source does not have yet" in without

    client.post(at("make-key"), {"purpose": "events", "overlap": "at-once"})

    assert "which this source does not have yet" not in words(client.get(PAGE))
