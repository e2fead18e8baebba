"""An operator has an answer sent again; nobody else does, and never without a reason."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import InvalidFields, NotRedrivable
from approvals.models import AuditEvent, CallbackDelivery, SourceRole, User
from approvals.operations import causes
from approvals.states import AuditTag, Channel, DeliveryState, Verdict
from tests.factories import make_request, make_source, make_user

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
    page = (
        client.get(reverse("approvals:operations-deliveries")).content.decode().replace("<wbr>", "")
    )
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


MANY = reverse("approvals:operations-redrive-many")
DELIVERIES = reverse("approvals:operations-deliveries")


def refuse(title: str, *, source=None, code: str = "AccessDeniedException") -> CallbackDelivery:
    """An answer AWS refused with CODE."""
    reviewer = make_user()
    request = make_request(reviewer, title=title, source=source)
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER
    )
    CallbackDelivery.objects.filter(request=request).update(
        state=DeliveryState.UNDELIVERABLE, last_reply="refused", detail=f"{code}: No.",
        settled_at=database_now(), attempts=1,
    )  # fmt: skip
    return CallbackDelivery.objects.select_related("request").get(request=request)


def ids(*owed: CallbackDelivery) -> list[str]:
    return [str(each.request.public_id) for each in owed]


def owed_again() -> set[str]:
    rows = CallbackDelivery.objects.filter(state=DeliveryState.PENDING)
    return set(rows.values_list("request__title", flat=True))


def said(client, answer) -> str:
    page = client.get(answer["Location"]).content.decode()
    return " ".join(unescape(page).split())


def test_what_was_ticked_is_sent_again_and_each_is_told(client, olu):
    one, two, taken, other = (refuse(title) for title in ("One", "Two", "Taken", "Other"))
    CallbackDelivery.objects.filter(pk=taken.pk).update(
        state=DeliveryState.PENDING, settled_at=None
    )
    CallbackDelivery.objects.filter(pk=taken.pk).update(
        state=DeliveryState.DELIVERED, settled_at=database_now()
    )
    answer = client.post(MANY, {"pick": ids(one, two, taken), "reason": "Rights mended."})
    assert answer.status_code == 303
    assert owed_again() == {"One", "Two"}
    told = said(client, answer)
    assert "2 answers are sent again now." in told
    assert (
        "1 answer is not sent again. AWS took the answer: there is nothing to send again." in told
    )
    events = AuditEvent.objects.filter(tag=AuditTag.REDRIVEN)
    assert {(event.actor, event.facts["reason"]) for event in events} == {(olu, "Rights mended.")}
    other.refresh_from_db()
    assert other.state == DeliveryState.UNDELIVERABLE


def test_all_on_the_page_means_the_ones_that_were_shown(client, olu):
    one, two = refuse("One"), refuse("Two")
    page = client.get(DELIVERIES).content.decode()
    for public_id in ids(one, two):
        assert f'name="shown" value="{public_id}"' in page
    refuse("Came later")
    client.post(MANY, {"which": "page", "shown": ids(one, two), "reason": "Rights mended."})
    assert owed_again() == {"One", "Two"}


def test_one_cause_is_listed_and_sent_again_alone(client, olu):
    here, there = make_source("here"), make_source("there")
    refuse("Rights", source=here)
    refuse("Key", source=here, code="KMSAccessDeniedException")
    refuse("Elsewhere", source=there)
    refuse("Closed", source=there, code="Answered outside the portal")
    every = client.get(DELIVERIES).content.decode()
    assert 'value="AccessDeniedException"' in every
    assert 'value="Answered outside the portal"' not in every
    page = client.get(DELIVERIES, {"source": "here", "code": "AccessDeniedException"})
    assert [line.owed.request.title for line in page.context["stuck"]] == ["Rights"]
    wish = {"which": "cause", "source": "here", "code": "AccessDeniedException", "reason": "Done."}
    answer = client.post(MANY, wish)
    assert answer["Location"] == f"{DELIVERIES}?source=here&code=AccessDeniedException"
    assert owed_again() == {"Rights"}
    client.post(MANY, {"which": "cause", "code": "AccessDeniedException", "reason": "Done."})
    assert owed_again() == {"Rights", "Elsewhere"}


def test_one_press_sends_so_many_again_at_most(client, olu, monkeypatch):
    monkeypatch.setattr(causes, "AT_ONCE", 2)
    for title in ("One", "Two", "Three"):
        refuse(title)
    client.post(MANY, {"which": "cause", "code": "AccessDeniedException", "reason": "Done."})
    assert owed_again() == {"One", "Two"}  # the oldest first


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": "Done."}, "Tick at least one answer."),
        ({"reason": " ", "pick": "x"}, "Say why the answer is sent again."),
        ({"reason": "x" * 501, "pick": "x"}, "Shorten it to 500 characters."),
        ({"reason": "Done.", "which": "cause"}, "Choose a source or a cause first."),
    ],
)
def test_a_press_that_means_nothing_sends_nothing(client, olu, refused, fields, words):
    answer = client.post(MANY, fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert owed_again() == set()


def test_ticks_are_kept_where_the_reason_is_missing(client, olu, refused):
    page = client.post(MANY, {"pick": ids(refused), "reason": ""}).content.decode()
    assert f'value="{ids(refused)[0]}" form="many" checked' in page


@pytest.mark.parametrize("word", ["x", "' OR 1=1", "01890000-0000-7000-8000-000000000000", "\0"])
def test_a_tick_that_is_none_of_ours_sends_nothing(client, olu, refused, word):
    answer = client.post(MANY, {"pick": word, "reason": "Done."})
    assert answer.status_code == 303
    assert "There was nothing to send again." in said(client, answer)
    assert owed_again() == set()


@pytest.mark.parametrize("code", ["%", "_", "\0", "x" * 5_000])
def test_a_cause_there_is_not_finds_nothing(client, olu, refused, code):
    assert client.get(DELIVERIES, {"code": code}).status_code == 200
    client.post(MANY, {"which": "cause", "code": code, "reason": "Done."})
    assert owed_again() == set()


@pytest.mark.parametrize(("role", "status"), [("auditor", 403), ("reviewer", 404)])
def test_who_only_looks_sends_nothing_in_bulk(client, refused, role, status):
    client.force_login(make_user(role=role))
    answer = client.post(MANY, {"pick": ids(refused), "reason": "Done."})
    assert answer.status_code == status
    assert owed_again() == set()


def test_an_operator_of_one_source_sends_its_answers_only(client):
    here, there, seen = make_source("here"), make_source("there"), make_source("seen")
    owed = [refuse(source.name, source=source) for source in (here, there, seen)]
    scoped = make_user("scoped")
    SourceRole.objects.create(source=here, may="operate", user=scoped)
    SourceRole.objects.create(source=seen, may="audit", user=scoped)
    client.force_login(scoped)
    answer = client.post(MANY, {"pick": ids(*owed), "reason": "Done."})
    assert owed_again() == {"Here"}
    assert "1 answer is not sent again. Only an operator of this source can do that." in said(
        client, answer
    )
    assert press(client, owed[1], reason="Done.").status_code == 404
    assert press(client, owed[2], reason="Done.").status_code == 403
    page = client.get(DELIVERIES)
    assert {line.owed.request.title for line in page.context["stuck"]} == {"Here", "Seen"}
    assert page.context["causes"].sources == [("seen", "Seen")]


def test_a_filtered_page_costs_six_statements(client, olu, django_assert_max_num_queries):
    for n in range(4):
        refuse(f"T{n}")
    with django_assert_max_num_queries(6):
        client.get(DELIVERIES, {"code": "AccessDeniedException"})
