"""Operators ask others, take back and force; what one may not see is 404, not do is 403."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, SourceRole, User
from approvals.operations import requests
from approvals.policy import Wanting
from approvals.states import Cause, Channel, RequestState, Verdict, Withdrawal
from tests.factories import make_kind, make_request, make_role, make_source, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
FORCED = {"verdict": "approved", "reason": "Nobody is in.", "sure": "on"}
VERBS: dict[str, dict[str, str]] = {
    "reassign": {"to": "user:bert", "reason": "Anna is away."},
    "take-back": {"reason": "Sent twice."},
    "force": FORCED,
}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    make_user("bert")
    return make_request(anna, title="Release NO-7", required_approvals=1)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def olu() -> Client:
    return signed_in(make_user("olu", role="operator"))


def address(request: ApprovalRequest, verb: str = "operate") -> str:
    return reverse(f"approvals:{verb}", args=[request.public_id])


def press(client: Client, request: ApprovalRequest, verb: str, **fields: Any) -> Any:
    headers = fields.pop("headers", None)
    return client.post(address(request, verb), {**VERBS[verb], **fields}, headers=headers)


def text(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())


@pytest.mark.parametrize("verb", VERBS)
def test_a_press_leads_back_to_the_request_and_says_what_was_done(
    olu: Client, order: ApprovalRequest, verb: str
) -> None:
    answer = press(olu, order, verb)
    assert (answer.status_code, answer["Location"]) == (303, order.get_absolute_url())
    said = {"reassign": "bert is asked now", "take-back": "is taken back", "force": "You forced"}
    assert said[verb] in text(olu.get(answer["Location"]))


@pytest.mark.parametrize("verb", VERBS)
def test_htmx_is_told_to_load_the_request(olu: Client, order: ApprovalRequest, verb: str) -> None:
    answer = press(olu, order, verb, headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, order.get_absolute_url())


def test_while_a_decision_is_held_it_can_only_be_taken_back_and_falls(
    olu: Client, anna: User
) -> None:
    make_user("bert")
    make_kind(undo_seconds=10)
    order = make_request(anna, title="Release NO-8", timeout_seconds=3_600)
    lifecycle.decide(
        order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER, held=True
    )
    shown = olu.get(address(order)).content.decode()
    assert "Somebody has decided this." in shown
    assert (address(order, "force") in shown, address(order, "take-back") in shown) == (False, True)
    listed = olu.get(reverse("approvals:operations-callbacks")).content.decode()
    assert "Decided</span>" in listed
    assert "Nobody can decide</span>" not in listed

    assert press(olu, order, "force").status_code == 409
    assert press(olu, order, "reassign").status_code == 409
    assert press(olu, order, "take-back").status_code == 303

    order.refresh_from_db()
    assert (order.state, order.held_until) == (RequestState.WITHDRAWN, None)
    assert not Decision.objects.standing().exists()
    assert CallbackDelivery.objects.get().verb == "fail"


def test_each_verb_does_what_it_says(olu: Client, order: ApprovalRequest, anna: User) -> None:
    press(olu, order, "reassign", instead_of=str(order.assignments.get().pk))
    assert [str(row) for row in order.assignments.all()] == ["Bert"]
    press(olu, order, "force")
    order.refresh_from_db()
    assert order.state == RequestState.APPROVED
    assert Decision.objects.get().cause == Cause.OPERATOR
    other = make_request(anna)
    press(olu, other, "take-back")
    other.refresh_from_db()
    assert other.withdrawal == Withdrawal.OPERATOR


@pytest.mark.parametrize("headers", [None, HTMX])
@pytest.mark.parametrize(
    ("verb", "wrong", "told"),
    [
        ("reassign", {"to": ""}, ("to", "Choose a team or a person.")),
        ("reassign", {"to": "user:ghost"}, ("to", "can no longer be asked")),
        ("reassign", {"to": "team:reviewer"}, ("to", "can no longer be asked")),
        ("reassign", {"to": "team:empty"}, ("to", "Nobody of empty may decide this")),
        ("reassign", {"instead_of": "99999999"}, ("instead_of", "not asked any more")),
        ("reassign", {"reason": " "}, ("reason", "Say why others are asked.")),
        ("take-back", {"reason": ""}, ("reason", "Say why you take it back")),
        ("take-back", {"reason": "x" * 501}, ("reason", "Shorten it to 500")),
        ("force", {"reason": ""}, ("reason", "Say why you force an answer")),
        ("force", {"sure": ""}, ("sure", "Tick this to force an answer")),
        ("force", {"verdict": ""}, ("verdict", "Choose approve or reject.")),
        ("force", {"verdict": "pending"}, ("verdict", "Choose approve or reject.")),
    ],
)
def test_what_must_be_mended_comes_back_open_with_the_sentence_beside_the_field(  # noqa: PLR0917
    olu: Client, order: ApprovalRequest, headers: Any, verb: str, wrong: Any, told: tuple[str, str]
) -> None:
    field, words = told
    make_team("empty")
    answer = press(olu, order, verb, headers=headers, **wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{verb}-{field}_error"' in page
    assert words in unescape(page)
    assert page.count('operate-act" open') == 1
    assert ("<html" in page) == (headers is None)
    order.refresh_from_db()
    assert order.is_pending
    assert order.history.count() == 1


@pytest.mark.parametrize("headers", [None, HTMX])
@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_second_reads_who_was_faster(
    olu: Client, order: ApprovalRequest, anna: User, verb: str, headers: Any
) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    answer = press(olu, order, verb, headers=headers)
    assert answer.status_code == 409
    assert "Anna approved this at" in text(answer)
    assert "Force this answer" not in text(answer)
    assert CallbackDelivery.objects.count() == 1


def test_four_eyes_hold_for_force_and_the_page_says_so(anna: User, olu: Client) -> None:
    wanted = make_request(anna, wanting=Wanting(requested_by="olu"))
    assert press(olu, wanted, "force").status_code == 403
    page = text(olu.get(address(wanted)))
    assert "somebody else must decide" in page
    assert "Force this answer" not in page
    assert "Take it back" in page


def test_who_voted_is_told_that_another_operator_must_force_it(anna: User) -> None:
    both = make_user("both")
    both.groups.add(make_role("operator"))
    two = make_request(anna, both, required_approvals=2)
    lifecycle.decide(two.pk, verdict=Verdict.APPROVED, reviewer=both, channel=Channel.BROWSER)
    client = signed_in(both)
    assert press(client, two, "force").status_code == 409
    assert "another operator must force it" in text(client.get(address(two)))


CALLERS = {
    "stranger": 404, "asked": 403, "auditor": 403, "auditor here": 403, "operator": 200,
    "admin": 200, "operator here": 200, "operator elsewhere": 404, "asked operator elsewhere": 403,
}  # fmt: skip


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("verb", ["operate", *VERBS])
def test_each_caller_is_answered_as_their_roles_say(
    order: ApprovalRequest, anna: User, caller: str, verb: str
) -> None:
    role = caller if caller in ("auditor", "operator", "admin") else "reviewer"
    person = make_user("caller", role=role)
    if caller.endswith("here"):
        may = "audit" if "auditor" in caller else "operate"
        source = make_source() if "elsewhere" in caller else order.source
        SourceRole.objects.create(source=source, may=may, user=person)
    if "asked" in caller:
        order.assignments.create(user=person, queue_at=order.queue_at)
    client = signed_in(person)
    answer = client.get(address(order)) if verb == "operate" else press(client, order, verb)
    expected = CALLERS[caller]
    assert answer.status_code == (303 if expected == 200 and verb != "operate" else expected)
    assert (order.history.count() == 1) == (verb == "operate" or expected != 200)


def test_a_stranger_signs_in_first_and_a_fragment_leaves_the_page(order: ApprovalRequest) -> None:
    assert Client().get(address(order))["Location"].startswith(reverse("account_login"))
    answer = press(Client(), order, "force", headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, reverse("account_login"))


@pytest.mark.parametrize("verb", VERBS)
def test_looking_does_nothing_and_other_sites_press_nothing(
    order: ApprovalRequest, olu: Client, verb: str
) -> None:
    assert olu.get(address(order, verb)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(role="operator"))
    assert press(strict, order, verb).status_code == 403
    assert order.history.count() == 1


def test_only_who_may_operate_the_source_finds_the_block_on_the_page(
    order: ApprovalRequest, anna: User, olu: Client
) -> None:
    assert 'id="operate"' in text(olu.get(order.get_absolute_url()))
    for person in (anna, make_user(role="auditor")):
        assert 'id="operate"' not in text(signed_in(person).get(order.get_absolute_url()))
    press(olu, order, "take-back")
    assert 'id="operate"' not in text(olu.get(order.get_absolute_url()))


def test_whom_asking_would_not_help_is_not_offered(anna: User, olu: Client) -> None:
    make_user("aud", role="auditor")
    make_user("gone")
    make_user("bert")
    User.objects.filter(username="gone").update(is_active=False)
    make_team("finance")
    wanted = make_request(anna, wanting=Wanting(requested_by="req"))
    make_user("req")
    later = make_request(anna, wanting=Wanting(requested_by="req"))
    shown = olu.get(address(wanted)).context["desk"].reassign["to"].field.choices
    teams, people = shown[1][1], shown[2][1]
    assert [name for name, _ in teams] == ["team:finance"]
    assert [name for name, _ in people] == ["user:bert", "user:req"]
    shown = olu.get(address(later)).context["desk"].reassign["to"].field.choices
    assert [name for name, _ in shown[2][1]] == ["user:bert"]


def test_in_a_large_house_others_are_named_by_their_username(
    order: ApprovalRequest, olu: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Or somebody who is not listed" not in text(olu.get(address(order)))
    monkeypatch.setattr(requests, "LISTED", 1)
    make_user("zoe")
    assert "Or somebody who is not listed" in text(olu.get(address(order)))
    assert press(olu, order, "reassign", to="", username="ghost").status_code == 422
    assert press(olu, order, "reassign", to="", username="zoe").status_code == 303


def test_the_force_form_says_how_many_approvals_it_overrides(anna: User, olu: Client) -> None:
    bert = make_user("bert")
    three = make_request(anna, bert, make_user("cleo"), required_approvals=3)
    lifecycle.decide(three.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER)
    assert "all 2 approvals that are missing" in text(olu.get(address(three)))


@pytest.mark.parametrize("verb", ["force", "take-back"])
def test_every_page_says_who_did_it_and_why(
    order: ApprovalRequest, olu: Client, anna: User, verb: str
) -> None:
    press(olu, order, verb, reason="The <b>office</b> is closed.")
    page = text(signed_in(anna).get(order.get_absolute_url()))
    said = {
        "force": [
            "Approved, forced by an operator: Olu, sending…",
            "forced the answer as an operator: approved",
        ],
        "take-back": ["An operator took it back: Olu", "took it back as an operator"],
    }
    for words in said[verb]:
        assert words in page
    assert "<b>office</b>" in page  # unescaped by text(): it came as text
    lists = text(olu.get(reverse("approvals:operations-deliveries")))
    expected = "forced by an operator: Olu" if verb == "force" else "An operator took it back"
    assert expected in lists


def test_an_operator_of_one_source_sees_and_operates_that_one_only(anna: User) -> None:
    here, there = make_source("here"), make_source("there")
    scoped = make_user("scoped")
    SourceRole.objects.create(source=here, may="operate", user=scoped)
    mine = make_request(anna, source=here, title="Mine")
    foreign = make_request(anna, source=there, title="Foreign")
    client = signed_in(scoped)

    page = text(client.get(reverse("approvals:operations-callbacks")))
    assert "Mine" in page
    assert "Foreign" not in page
    assert client.get(foreign.get_absolute_url()).status_code == 404
    assert press(client, foreign, "take-back").status_code == 404
    assert press(client, mine, "take-back").status_code == 303
    lifecycle.take_back(foreign.pk, operator=make_user(role="operator"), reason="Twice.")
    page = text(client.get(reverse("approvals:operations-deliveries")))
    assert "Mine" in page
    assert "Foreign" not in page
