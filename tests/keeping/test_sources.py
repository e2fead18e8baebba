"""Sources are made, changed, disabled and enabled by admins, and history says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from approvals import keeping
from approvals.errors import InvalidFields, NotAnAdmin, StalePage
from approvals.keeping import SourceFields, addresses, desk
from approvals.models import CallbackSource, ChangeEvent, SourceKey, SourceSecret, User
from approvals.models.source import digest, secret_bytes
from approvals.states import ChangeTag
from tests.factories import make_kind, make_request, make_source, make_team, make_user
from tests.keeping.conftest import ARN

pytestmark = pytest.mark.django_db(transaction=True)

ROLE = "arn:aws:iam::123456789012:role/countersign"
FIELDS = SourceFields(name="Orders", region="eu-north-1", function_arns=[ARN])


def tags() -> list[str]:
    return list(ChangeEvent.objects.order_by("seq").values_list("tag", flat=True))


def test_a_new_source_tells_its_secret_and_key_once_and_keeps_neither_in_clear(mara):
    make_team("order-desk")
    made = keeping.make_source(
        "orders", replace(FIELDS, default_users=["mara"], default_groups=["order-desk"]), admin=mara
    )
    source = CallbackSource.objects.get()
    assert SourceSecret.objects.get().reveal() == secret_bytes(made.secret)
    assert SourceKey.objects.get().sha256 == digest(made.key)
    assert [user.username for user in source.default_users.all()] == ["mara"]
    event = ChangeEvent.objects.get()
    assert (event.tag, event.subject, event.actor) == (ChangeTag.SOURCE_MADE, "source:orders", mara)
    told = json.dumps(event.facts)
    assert made.secret not in told
    assert made.key not in told
    assert ChangeEvent.objects.broken_at("source:orders") is None


@pytest.mark.parametrize("slug", ["", "Orders", "or/ders", "new", "-x", "a" * 64, "ord\u00e9rs"])
def test_a_name_that_makes_no_address_is_refused(mara, slug):
    with pytest.raises(InvalidFields) as refused:
        keeping.make_source(slug, FIELDS, admin=mara)
    assert set(refused.value.fields) == {"slug"}
    assert not CallbackSource.objects.exists()


def test_a_name_is_taken_once(mara, orders):
    with pytest.raises(InvalidFields, match="slug"):
        keeping.make_source("orders", FIELDS, admin=mara)
    assert SourceSecret.objects.count() == 0


def test_who_takes_a_name_in_the_same_moment_is_told_so(mara, orders, monkeypatch):
    monkeypatch.setattr(desk, "check_row", lambda row: None)  # it had looked a moment earlier
    with pytest.raises(InvalidFields) as refused:
        keeping.make_source("orders", FIELDS, admin=mara)
    assert refused.value.fields == {"slug": "There is a source of this name already."}
    assert CallbackSource.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"region": "Stockholm"}, "region"),
        ({"endpoint_url": "http://lambda.example.com"}, "endpoint_url"),
        ({"role_arn": "arn:aws:iam::12:role/x"}, "role_arn"),
        ({"external_id": "a b"}, "external_id"),
        ({"function_arns": [f"{ARN}:7"]}, "function_arns"),
        ({"function_arns": []}, "function_arns"),
        ({"function_arns": [ARN.replace("north", "south")]}, "function_arns"),
        ({"default_users": ["nobody"]}, "default_users"),
        ({"questions_url": "ftp://questions.example.com"}, "questions_url"),
        ({"questions_url": "https://q.example/?key=1"}, "questions_url"),
        ({"questions_mail": "nobody"}, "questions_mail"),
        (
            {"questions_url": "https://q.example", "questions_mail": "q@q.example"},
            "questions_mail",
        ),
        ({"default_groups": ["nobodies"]}, "default_groups"),
        ({"default_groups": ["reviewer"]}, "default_groups"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field_and_nothing_is_written(
    mara, orders, wrong, field
):
    make_user("anna")
    with pytest.raises(InvalidFields) as refused:
        keeping.change_source("orders", replace(FIELDS, **wrong), admin=mara)
    assert set(refused.value.fields) == {field}
    assert refused.value.fields[field].endswith(".")
    with pytest.raises(InvalidFields):
        keeping.make_source("other", replace(FIELDS, **wrong), admin=mara)
    assert CallbackSource.objects.count() == 1
    assert not ChangeEvent.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://lambda.eu-north-1.amazonaws.com",
        "https://10.0.0.7",
        "https://vpce-1.lambda.eu-north-1.vpce.amazonaws.com:8443/x",
        "http://127.0.0.1:3001",
        "http://localhost:3001",
        "http://[::1]:3001",
    ],
)
def test_https_and_this_machine_are_places_to_speak_to(address):
    assert addresses.endpoint_complaint(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/",
        "https://0.0.0.0",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "https://user:word@example.com",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com\\@169.254.169.254",
        "https://224.0.0.1",
        "https://[",
        "https://host:port",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
    ],
)
def test_the_portal_is_not_made_to_speak_anywhere_else(address):
    assert addresses.endpoint_complaint(address).endswith(".")


def test_a_change_says_what_was_and_what_is_but_never_the_external_id(mara, orders):
    changed = keeping.change_source(
        "orders",
        replace(FIELDS, name="Order desk", role_arn=ROLE, external_id="half-a-key"),
        admin=mara,
        seen=0,
    )
    orders.refresh_from_db()
    assert (orders.name, orders.external_id) == ("Order desk", "half-a-key")
    assert set(changed) == {"name", "role_arn", "external_id"}
    facts = ChangeEvent.objects.get().facts["changed"]
    assert facts["name"] == ["Orders", "Order desk"]
    assert facts["external_id"] == [False, True]
    assert "half-a-key" not in json.dumps(facts)


def test_saving_what_stands_writes_no_history(mara, orders):
    assert keeping.change_source("orders", FIELDS, admin=mara) == []
    assert tags() == []


def test_who_looked_at_an_older_state_overwrites_nothing(mara, orders):
    seen = desk.version_of("source:orders")
    keeping.change_source("orders", replace(FIELDS, name="Mine"), admin=mara, seen=seen)
    with pytest.raises(StalePage, match="mara changed this"):
        keeping.change_source("orders", replace(FIELDS, name="Theirs"), admin=mara, seen=seen)
    orders.refresh_from_db()
    assert orders.name == "Mine"


def test_a_secret_made_meanwhile_is_no_reason_to_refuse_a_change(mara, orders):
    seen = desk.version_of("source:orders")
    keeping.make_secret("orders", admin=mara, overlap=keeping.Overlap.HOUR)
    keeping.change_source("orders", replace(FIELDS, name="Mine"), admin=mara, seen=seen)


def test_functions_are_added_to_those_there_are(orders):
    keeping.add_functions("orders", [f"{ARN}-2", ARN], admin=None)
    orders.refresh_from_db()
    assert orders.function_arns == [ARN, f"{ARN}-2"]
    assert ChangeEvent.objects.get().actor is None


def test_adding_what_is_there_or_makes_no_sense_writes_nothing(orders):
    keeping.add_functions("orders", [ARN], admin=None)
    with pytest.raises(InvalidFields, match="without a version"):
        keeping.add_functions("orders", [f"{ARN}:7"], admin=None)
    assert not ChangeEvent.objects.exists()


def test_disabling_and_enabling_are_written_down_once_with_what_waits(mara, orders):
    make_request(make_user("anna"), source=orders)
    for _ in range(2):
        keeping.disable_source("orders", admin=mara)
    orders.refresh_from_db()
    assert not orders.active
    assert ChangeEvent.objects.get().facts == {"open_requests": 1}
    keeping.enable_source("orders", admin=mara)
    orders.refresh_from_db()
    assert orders.active
    assert tags() == [ChangeTag.SOURCE_DISABLED, ChangeTag.SOURCE_ENABLED]


def verbs(admin: User) -> list:
    return [
        lambda: keeping.make_source("new-one", FIELDS, admin=admin),
        lambda: keeping.change_source("orders", FIELDS, admin=admin),
        lambda: keeping.add_functions("orders", [ARN], admin=admin),
        lambda: keeping.disable_source("orders", admin=admin),
        lambda: keeping.enable_source("orders", admin=admin),
        lambda: keeping.make_secret("orders", admin=admin, overlap=keeping.Overlap.HOUR),
        lambda: keeping.end_secret("orders", 1, admin=admin),
        lambda: keeping.make_key(
            "orders", purpose="events", admin=admin, overlap=keeping.Overlap.HOUR
        ),
        lambda: keeping.end_key("orders", 1, admin=admin),
        lambda: keeping.give_role("orders", may="operate", username="olu", admin=admin),
        lambda: keeping.take_role("orders", 1, admin=admin),
        lambda: keeping.make_kind("refund", keeping.KindFields(label="Refund"), admin=admin),
        lambda: keeping.change_kind("order", keeping.KindFields(label="Order"), admin=admin),
    ]


def test_nobody_but_an_admin_keeps_anything_whoever_they_were_before(mara, orders):
    make_kind("order")
    olu = make_user("olu", role="operator")
    assert mara.rights  # what was read before is not asked again
    mara.groups.clear()
    gone = make_user("gone", role="admin")
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    for person in (olu, mara, gone):
        for verb in verbs(person):
            with pytest.raises(NotAnAdmin):
                verb()
    assert not ChangeEvent.objects.exists()


def test_a_source_that_is_not_there_cannot_be_changed(mara):
    make_source("other")
    with pytest.raises(CallbackSource.DoesNotExist):
        keeping.change_source("orders", FIELDS, admin=mara)


@pytest.mark.parametrize(
    "address",
    [
        "", "https://questions.example.com/hook", "https://questions.example.com:8443",
        "https://93.184.216.34/",
    ],
)  # fmt: skip
def test_questions_may_go_to_a_public_place(address: str):
    assert addresses.questions_complaint(address, private=False) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://questions.example.com", "https://10.0.0.1/", "https://127.0.0.1/",
        "https://169.254.169.254/latest", "https://localhost/", "https://db.internal/",
        "https://[::1]/", "https://me@questions.example.com/", "https://q.example/?key=1",
        "https://q.example/#x", "https://q.example/a b", "https://", "https://[", "q.example",
        "javascript:alert(1)",
    ],
)  # fmt: skip
def test_questions_go_to_no_other_place(address: str):
    assert addresses.questions_complaint(address, private=False).endswith(".")


def test_only_the_demo_asks_this_machine():
    for address in ("http://127.0.0.1:9000/q", "https://10.0.0.1/"):
        assert addresses.questions_complaint(address, private=True) == ""
    assert addresses.questions_complaint("ftp://127.0.0.1/q", private=True)


def test_where_questions_go_is_changed_by_an_admin_and_stands_in_history(mara, orders):
    fields = SourceFields(
        name=orders.name,
        region=orders.region,
        function_arns=orders.function_arns,
        allow_local_runner=orders.allow_local_runner,
    )
    keeping.change_source("orders", fields, admin=mara)
    changed = keeping.change_source(
        "orders", replace(fields, questions_url="https://q.example/hook"), admin=mara
    )
    assert changed == ["questions_url"]
    assert ChangeEvent.objects.order_by("seq").last().facts["changed"] == {
        "questions_url": ["", "https://q.example/hook"]
    }
