"""Editing in the browser's form: prefilled, counted by name, refused beside the field."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from approvals import lifecycle
from approvals.canonical import NumberToken, sha256_hex
from approvals.models import ApprovalRequest, Decision, User
from approvals.states import Channel, Verdict
from tests.factories import make_kind, make_request, make_user
from tests.review.people import HTMX, signed_in

pytestmark = pytest.mark.django_db

PAYLOAD = (
    '{"actions":[{"arguments":{"amount":"312.00","currency":"EUR"},"tool":"refund"}],'
    '"big":12345678901234567890,"body":"Hi\\r\\nIngrid","day":"2026-11-20","ok":true,"rate":0.10}'
)
EDITABLE = ["/actions/0/arguments/amount", "/big", "/body", "/day", "/ok", "/rate"]
AMOUNT, BIG, BODY, DAY, OK, RATE = (f"edit-{number}" for number in range(6))


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def put(*people: User, **fields: Any) -> ApprovalRequest:
    asked = {"editable": EDITABLE, "payload_text": PAYLOAD, "payload_sha256": sha256_hex(PAYLOAD)}
    return make_request(
        *people, kind="agent-action", payload=json.loads(PAYLOAD), **{**asked, **fields}
    )


def press(client: Client, row: ApprovalRequest, verdict: str = "approved", **fields: Any) -> Any:
    headers = fields.pop("headers", None)
    url = f"/requests/{row.public_id}/decide/"
    return client.post(url, {"verdict": verdict, **fields}, headers=headers)


def as_shown(client: Client, row: ApprovalRequest) -> dict[str, str]:
    """What a browser would post of the form as it stands."""
    text = client.get(row.get_absolute_url()).content.decode()
    fields = dict(re.findall(r'name="(edit-\d+)"[^>]*? data-was="([^"]*)"', text))
    hidden = re.findall(r'type="hidden" name="(edit\S*)" value="([^"]*)"', text)
    return {**fields, **dict(hidden)}


def test_a_form_that_is_sent_as_it_stands_edits_nothing(anna: User) -> None:
    row, client = put(anna), signed_in(anna)
    fields = as_shown(client, row)
    assert fields[BIG] == "12345678901234567890"
    assert fields[RATE] == "0.10"
    # A browser makes CR LF of every line end in a field of several lines.
    answer = press(client, row, **{**fields, BODY: "Hi\r\nIngrid"})
    assert answer.status_code == 303, answer.content
    assert Decision.objects.get().edits_text == ""


def test_what_was_changed_is_sent_by_its_type_and_shown_afterwards(anna: User) -> None:
    row, client = put(anna), signed_in(anna)
    fields = {
        AMOUNT: "280.80", BIG: "98765432109876543210", BODY: "Dear\nIngrid",
        DAY: "2026-12-01", OK: "false", RATE: "0.1250", "edited": "6",
    }  # fmt: skip
    answer = press(client, row, **fields, headers=HTMX)
    assert answer.status_code == 200, answer.content
    decision = Decision.objects.get()
    assert decision.edits == {
        "/actions/0/arguments/amount": "280.80",
        "/big": NumberToken("98765432109876543210"),
        "/body": "Dear\r\nIngrid",
        "/day": "2026-12-01",
        "/ok": False,
        "/rate": NumberToken("0.1250"),
    }
    text = answer.content.decode()
    assert "Approved by Anna with 6 edits, sending…" in text
    assert re.search(r"<del>.*€312\.00.*</del>.*<ins>.*€280\.80.*</ins>", text)
    assert "98765432109876543210" in text
    assert decision.final_sha256 in text
    assert "approved this with 6 edits (/actions/0/arguments/amount, /big" in text


@pytest.mark.parametrize("name", [AMOUNT, RATE])
def test_a_thousand_written_the_german_way_is_not_taken_for_one(anna: User, name: str) -> None:
    row, client = put(anna), signed_in(anna)
    german = {"Accept-Language": "de"}
    answer = press(client, row, **{name: "1.234", "edited": "1"}, headers=german)
    assert answer.status_code == 422
    assert "schreiben Sie 1234 oder 1.2340" in answer.content.decode()
    assert not Decision.objects.exists()
    assert press(client, row, **{name: "1.2340", "edited": "1"}, headers=german).status_code == 303
    assert Decision.objects.get().edits in (
        {EDITABLE[0]: "1.2340"},
        {EDITABLE[5]: NumberToken("1.2340")},
    )


def test_an_edit_the_button_did_not_name_is_shown_before_it_is_sent(anna: User) -> None:
    """Without JavaScript the button cannot count: it does so in the answer."""
    row, client = put(anna), signed_in(anna)
    first = press(client, row, **{AMOUNT: "280.80", "edited": "0"})
    assert first.status_code == 422
    text = first.content.decode()
    assert "Nothing was decided yet. You approve with 1 edit" in text
    assert "Approve with 1 edit</span>" in text
    assert 'name="edited" value="1"' in text
    assert 'value="280.80"' in text
    assert not Decision.objects.exists()
    assert press(client, row, **{AMOUNT: "280.80", "edited": "1"}).status_code == 303
    assert Decision.objects.get().edits == {"/actions/0/arguments/amount": "280.80"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (AMOUNT, "a lot", "Write an amount, such as 312.00."),
        (AMOUNT, "", "Write an amount"),
        (BIG, "1.5", "Write a whole number"),
        (BIG, "", "Write a whole number"),
        (BIG, "1e3", "Write a whole number"),
        (RATE, "1,5", "Write a number"),
        (RATE, "NaN", "Write a number"),
        (RATE, "٣", "Write a number"),
        (RATE, "1" * 41, "Write a number"),
        (DAY, "tomorrow", "Write a date"),
        (OK, "perhaps", "Say true or false."),
    ],
)
def test_a_value_of_another_type_is_refused_beside_its_field_and_kept(
    anna: User, name: str, value: str, sentence: str
) -> None:
    answer = press(signed_in(anna), put(anna), **{name: value, BODY: "Kept", "edited": "2"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert sentence in text[text.index('id="edits"') :]
    assert f'id="id_{name}_error"' in text
    assert "Kept</textarea>" in text
    assert not Decision.objects.exists()


def test_a_rejection_sends_no_edits_and_does_not_mind_them(anna: User) -> None:
    row = put(anna)
    answer = press(signed_in(anna), row, "rejected", comment="No.", **{BIG: "x", AMOUNT: "1.00"})
    assert answer.status_code == 303
    assert Decision.objects.get().edits_text == ""


def test_who_approves_second_sees_what_the_first_changed_and_sends_the_same(anna: User) -> None:
    bert = make_user("bert")
    row = put(anna, bert, required_approvals=2)
    press(signed_in(anna), row, **{AMOUNT: "280.80", "edited": "1"})
    client = signed_in(bert)
    text = client.get(row.get_absolute_url()).content.decode()
    assert "Approve with 1 edit</span>" in text
    assert "€280.80" in text
    assert "<b>Anna</b> approved this with the changes above" in text
    assert 'id="edits"' not in text
    assert press(client, row, **as_shown(client, row)).status_code == 303
    assert [each.edits for each in Decision.objects.all()] == [
        {"/actions/0/arguments/amount": "280.80"}
    ] * 2


def test_an_approval_that_came_in_between_is_told_and_taken_over(anna: User) -> None:
    bert = make_user("bert")
    row = put(anna, bert, required_approvals=2)
    client = signed_in(bert)
    stale = as_shown(client, row)
    lifecycle.decide(
        row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER,
        edits={"/ok": False},
    )  # fmt: skip
    answer = press(client, row, **stale, headers=HTMX)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Anna approved this with 1 edit. Approve the same values" in text
    assert "Approve with 1 edit</span>" in text
    assert f'name="{OK}" value="false"' in text
    assert Decision.objects.count() == 1


def test_edits_that_were_taken_back_bind_nobody(anna: User) -> None:
    make_kind("agent-action", undo_seconds=10)
    row, client = put(anna), signed_in(anna)
    posted = as_shown(client, row) | {AMOUNT: "3120.00", "edited": "1"}
    assert press(client, row, **posted).status_code == 303
    assert client.post(f"{row.get_absolute_url()}undo/").status_code == 303

    assert as_shown(client, row)[AMOUNT] == "312.00"
    assert press(client, row, **as_shown(client, row)).status_code == 303
    assert Decision.objects.standing().get().edits == {}


def test_what_an_operator_forced_is_not_shown_as_edited(anna: User) -> None:
    row, olga = put(anna, make_user(), required_approvals=2), make_user(role="operator")
    client = signed_in(anna)
    press(client, row, **(as_shown(client, row) | {AMOUNT: "31.20", "edited": "1"}))
    assert "31.20" in client.get(row.get_absolute_url()).content.decode()

    lifecycle.force(
        row.pk,
        verdict=Verdict.APPROVED,
        operator=olga,
        reason="Closed today.",
        channel=Channel.BROWSER,
    )

    shown = client.get(row.get_absolute_url()).content.decode()
    assert "Payload as approved" not in shown


def test_what_only_a_program_can_write_is_approved_in_the_browser_too(anna: User) -> None:
    row = put(make_user("bert"), anna, required_approvals=2)
    odd: dict[str, Any] = {"/body": "Hi\rthere\n", "/actions/0/arguments/amount": "about 300"}
    lifecycle.decide(
        row.pk,
        verdict=Verdict.APPROVED,
        reviewer=User.objects.get(username="bert"),
        channel=Channel.API,
        edits=odd,
    )
    client = signed_in(anna)
    assert press(client, row, **as_shown(client, row)).status_code == 303
    assert [d.edits for d in row.decisions.all()] == [odd, odd]


def test_a_value_of_a_step_is_named_with_its_step(anna: User) -> None:
    text = signed_in(anna).get(put(anna).get_absolute_url()).content.decode()
    assert re.search(r">Amount <span class=\"hint\">refund</span></label>", text)


def test_nothing_is_offered_where_nothing_may_be_edited(anna: User) -> None:
    for row in (put(anna, editable=[]), put(anna, approve_with="yes")):
        text = signed_in(anna).get(row.get_absolute_url()).content.decode()
        assert "edit-0" not in text
        assert press(signed_in(anna), row, **{AMOUNT: "1.00"}).status_code == 303
    assert set(Decision.objects.values_list("edits_text", flat=True)) == {""}
