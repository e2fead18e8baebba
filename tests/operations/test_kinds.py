"""Kinds on their pages."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.urls import reverse

from approvals import keeping
from approvals.models import ChangeEvent, RequestKind, User
from approvals.operations.durations import seconds_of, words_of
from tests.factories import make_kind, make_request, make_source, make_team, make_user
from tests.operations.settings_forms import kind_form

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("approvals:kinds")
NEW = reverse("approvals:new-kind")
PAGE = reverse("approvals:kind", args=["refund"])
CHANGE = reverse("approvals:change-kind", args=["refund"])


@pytest.fixture
def mara(client) -> User:
    admin = make_user("mara", role="admin")
    client.force_login(admin)
    return admin


@pytest.fixture
def refund(transactional_db: None) -> RequestKind:
    return make_kind("refund", label="Refund")


def words(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.mark.parametrize("page", [LIST, PAGE])
@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("auditor", 200), ("admin", 200), ("reviewer", 404)]
)
def test_who_oversees_something_may_look(client, refund, page, role, status):
    client.force_login(make_user(role=role))
    assert client.get(page).status_code == status


@pytest.mark.parametrize("page", [LIST, NEW, PAGE, CHANGE])
def test_strangers_sign_in_first(client, refund, page):
    assert client.get(page)["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", [NEW, CHANGE])
@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("reviewer", 404)])
def test_nobody_but_an_admin_changes_a_kind(client, refund, page, role, status):
    client.force_login(make_user(role=role))
    assert client.get(page).status_code == status
    assert client.post(page, kind_form(slug="other")).status_code == status
    assert not ChangeEvent.objects.exists()


def test_a_kind_is_made_as_it_was_typed(client, mara):
    for team in ("finance", "order-desk"):
        make_team(team)
    posted = kind_form(
        slug="refund",
        required_approvals="3",
        reject_reasons="Too much\r\n\r\n  Not ours  \r\n",
        timeout_seconds="24 h",
        due_in_seconds="30 min",
        undo_seconds="5",
        bulk="opened",
        default_groups=["order-desk"],
        default_users="mara",
        presentation='{"labels": {"/amount": "Sum"}}',
        **{"of-TOTAL_FORMS": "3", "of-0-approvals": "2", "of-0-team": "finance"},
        **{"of-1-approvals": "1", "of-1-team": "", "of-2-approvals": "1", "of-2-team": ""},
    )
    answer = client.post(NEW, posted)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    kind = RequestKind.objects.get()
    assert kind.reject_reasons == ["Too much", "Not ours"]
    assert (kind.timeout_seconds, kind.due_in_seconds) == (86_400, 1_800)
    assert kind.undo_seconds == 5
    assert kind.bulk == "opened"
    assert [str(row) for row in kind.requirements.all()] == ["2 of finance"]
    assert kind.presentation == {"labels": {"/amount": "Sum"}}
    said = words(client.get(PAGE))
    assert "24 h" in said
    assert "for 5 s after a press in the browser" in said
    assert "Decided together Those they have opened" in said
    assert "Senders name it refund." in said
    assert "3 2 of finance" in words(client.get(LIST))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"label": ""}, "This is needed."),
        ({"required_approvals": "many"}, "Write a whole number."),
        ({"timeout_seconds": "90"}, "Write a number and a unit"),
        ({"due_in_seconds": "soon"}, "Write a number and a unit"),
        ({"timeout_seconds": "400 d"}, "up to 366 days"),
        ({"timeout_seconds": "1 h", "due_in_seconds": "1 h"}, "Choose less than the timeout"),
        ({"undo_seconds": "31"}, "less than or equal to 30"),
        ({"undo_seconds": ""}, "This is needed."),
        ({"bulk": "all"}, "Select a valid choice"),
        ({"presentation": "{"}, "This is not JSON"),
        ({"presentation": '{"labels": {}, "labels": {}}'}, "the same key twice"),
        ({"presentation": "[]"}, "Write one JSON object"),
        ({"presentation": '{"formats": {"/a": "dollars"}}'}, "formats: 'dollars' at '/a'"),
        ({"presentation": '{"order": ["a"]}'}, "order: 'a' is no JSON pointer"),
        ({"on_reject": "x"}, "Select a valid choice"),
        ({"default_users": "nobody"}, "Nobody active is called nobody."),
        ({"reject_reasons": "x" * 121}, "within 120 characters"),
    ],
)
def test_what_needs_mending_is_said_beside_the_field_and_what_was_typed_is_kept(
    client, mara, refund, wrong, sentence
):
    posted = kind_form(seen="0", **{"reject_reasons": "Typed this"} | wrong)
    answer = client.post(CHANGE, posted)
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert sentence in page
    assert posted["reject_reasons"] in page
    assert posted.get("presentation", "") in page
    assert not ChangeEvent.objects.exists()


@pytest.mark.parametrize("wrong", [{"label": ""}, {"slug": "Re fund"}, {"slug": "refund"}])
def test_a_new_kind_that_makes_no_sense_is_not_made(client, mara, refund, wrong):
    assert client.get(NEW).status_code == 200
    assert client.post(NEW, kind_form(slug="other") | wrong).status_code == 422
    assert RequestKind.objects.get() == refund


def test_what_a_team_must_give_is_mended_like_any_field(client, mara, refund):
    make_team("finance")
    row = {"of-TOTAL_FORMS": "1", "of-0-team": "finance"}
    answer = client.post(CHANGE, kind_form(seen="0", **row, **{"of-0-approvals": "2"}))
    assert answer.status_code == 422
    assert "The teams below ask for 2 together" in words(answer)
    for wrong in ({"of-0-approvals": "0"}, {"of-0-approvals": "1", "of-0-team": "reviewer"}):
        assert client.post(CHANGE, kind_form(seen="0", **row | wrong)).status_code == 422
    many = kind_form(seen="0", **{"of-TOTAL_FORMS": "1000"})
    assert client.post(CHANGE, many).status_code == 422
    assert client.post(CHANGE, {"label": "x"}).status_code == 422
    assert not ChangeEvent.objects.exists()


def test_rows_that_stand_are_shown_again_and_can_be_emptied(client, mara, refund):
    refund.requirements.create(group=make_team("finance"), approvals=1)
    page = client.get(CHANGE).content.decode()
    assert '<option value="finance" selected>' in page
    posted = kind_form(
        seen="0",
        **{"of-TOTAL_FORMS": "1", "of-INITIAL_FORMS": "1", "of-0-team": "", "of-0-approvals": "1"},
    )
    assert client.post(CHANGE, posted).status_code == 303
    assert not refund.requirements.exists()


def test_the_second_of_two_admins_is_told_and_keeps_what_was_typed(client, mara, refund):
    client.post(CHANGE, kind_form(label="First", seen="0"))
    answer = client.post(CHANGE, kind_form(label="Second", seen="0"))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert 'value="Second"' in page
    assert RequestKind.objects.get().label == "First"
    seen = re.search(r'name="seen" value="(\d+)"', page).group(1)
    assert client.post(CHANGE, kind_form(label="Second", seen=seen)).status_code == 303


def test_the_page_says_that_open_requests_stay(client, mara, refund):
    said = words(client.get(CHANGE))
    assert "Those that are open keep the approvals, people and clocks they came with" in said


def test_a_kind_shows_how_its_latest_request_reads(client, mara, refund):
    make_request(make_user("anna"), kind="refund", payload={"amount": "12.50"})
    presentation = json.dumps({"labels": {"/amount": "Sum to return"}})
    client.post(CHANGE, kind_form(seen="0", presentation=presentation))
    assert "Sum to return" in words(client.get(PAGE))


def test_an_example_is_only_of_what_the_onlooker_oversees(client, refund):
    make_source("mine")
    keeping.give_role("mine", may="audit", username=make_user("olu").username, admin=None)
    client.force_login(User.objects.get(username="olu"))
    make_request(make_user("anna"), kind="refund", title="Somebody else's")
    assert "Somebody else" not in words(client.get(PAGE))


def test_a_kind_that_is_not_there_is_404(client, mara):
    assert client.get(PAGE).status_code == 404
    assert client.post(CHANGE, kind_form()).status_code == 404


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90), ("30 min", 1_800), ("24h", 86_400), ("3 d", 259_200), ("1 h 30 min", 5_400),
     (" 2 D 1 H ", 176_400)],
)  # fmt: skip
def test_a_length_of_time_is_read_with_its_unit(text, seconds):
    assert seconds_of(text) == seconds
    assert seconds_of(words_of(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "1.5 h", "-1 h", "1 hour", "1 h,", "1 month"])
def test_a_length_of_time_without_a_unit_is_not_guessed(text):
    with pytest.raises(ValueError, match="unit"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86_400, "24 h"), (172_800, "2 d"), (90, "1 min 30 s"), (3_600, "1 h"), (0, "0 s")],
)
def test_a_length_of_time_is_said_as_people_set_it(seconds, words):
    assert words_of(seconds) == words
