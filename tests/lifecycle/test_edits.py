"""Edited before approving: only what the sender allowed, of its own type, digit for digit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError

from approvals import lifecycle
from approvals.canonical import NumberToken, canonical_json, sha256_hex, with_tokens
from approvals.errors import InvalidFields, StalePage
from approvals.models import ApprovalRequest, Decision, User
from approvals.states import Channel, RequestState, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PAYLOAD = (
    '{"a/b~c":"slash","amount":"312.00","big":12345678901234567890,"day":"2026-11-20",'
    '"lines":[{"name":"Tent","qty":4}],"none":null,"note":"Hi","ok":true,"rate":0.10}'
)
EDITABLE = [
    "/amount", "/big", "/day", "/lines/0/qty", "/lines/0/name", "/none", "/note", "/ok", "/rate",
    "/a~1b~0c",
]  # fmt: skip


def number(digits: str) -> NumberToken:
    return NumberToken(digits)


def put(*people: User, **fields: Any) -> ApprovalRequest:
    text = fields.pop("text", PAYLOAD)
    asked = {"editable": EDITABLE, "payload_text": text, "payload_sha256": sha256_hex(text)}
    return make_request(*people, payload=json.loads(text), **{**asked, **fields})


def approve(request: ApprovalRequest, person: User, **edits: Any) -> Decision:
    return lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=person, channel=Channel.API, **edits
    ).decision


def sent(request: ApprovalRequest) -> str:
    request.refresh_from_db()
    return request.delivery.body.decode()


def test_the_answer_holds_the_edits_the_payload_as_approved_and_its_hash() -> None:
    anna = make_user("anna")
    request = put(anna)
    edits = {"/amount": "280.80", "/lines/0/qty": number("3"), "/ok": False}

    decision = approve(request, anna, edits=edits)

    final = PAYLOAD.replace("312.00", "280.80").replace('"qty":4', '"qty":3')
    final = final.replace("true", "false")
    answer = sent(request)
    assert f'"final_payload":{final}' in answer
    document = json.loads(answer)
    assert document["edits"] == {"/amount": "280.80", "/lines/0/qty": 3, "/ok": False}
    assert document["final_payload_sha256"] == sha256_hex(final) == decision.final_sha256
    assert document["payload_sha256"] == sha256_hex(PAYLOAD) == decision.payload_sha256


def test_numbers_leave_as_they_were_written_beyond_what_a_float_holds() -> None:
    anna = make_user("anna")
    request = put(anna)

    approve(
        request, anna, edits={"/big": number("98765432109876543210"), "/rate": number("0.1250")}
    )

    answer = sent(request)
    assert '"big":98765432109876543210,' in answer
    assert '"/rate":0.1250}' in answer
    assert '"rate":0.1250}' in answer


def test_an_approval_without_edits_says_nothing_of_any() -> None:
    anna = make_user("anna")
    request = put(anna)

    decision = approve(request, anna, edits={"/amount": "312.00", "/rate": number("0.10")})

    assert (decision.edits_text, decision.final_sha256) == ("", "")
    assert not {"edits", "final_payload", "final_payload_sha256"} & json.loads(sent(request)).keys()


def test_the_same_number_written_otherwise_is_an_edit() -> None:
    anna = make_user("anna")
    request = put(anna)

    decision = approve(request, anna, edits={"/rate": number("0.1")})

    assert decision.edits_text == '{"/rate":0.1}'
    assert decision.final_sha256 != request.payload_sha256


def test_a_key_with_slash_and_tilde_is_found_by_its_pointer() -> None:
    anna = make_user("anna")
    request = put(anna)

    approve(request, anna, edits={"/a~1b~0c": "other"})

    assert '"final_payload":{"a/b~c":"other",' in sent(request)


@pytest.mark.parametrize(
    ("pointer", "value", "sentence"),
    [
        ("/lines/0", "x", "cannot be edited"),
        ("/total", "x", "cannot be edited"),
        ("/lines/1/qty", number("1"), "cannot be edited"),
        ("/amount", number("280"), "Write a text."),
        ("/amount", None, "Write a text."),
        ("/note", ["x"], "Write a text."),
        ("/note", "half \ud800", "Take out"),
        ("/note", "nul \0", "Take out"),
        ("/lines/0/qty", "3", "Write a whole number"),
        ("/lines/0/qty", number("3.5"), "Write a whole number"),
        ("/lines/0/qty", True, "Write a whole number"),
        ("/rate", "0.2", "Write a number"),
        ("/ok", number("1"), "Say true or false."),
        ("/ok", "false", "Say true or false."),
        ("/day", "tomorrow", "Write a date"),
        ("/day", "2026-02-30", "Write a date"),
        ("/none", "x", "has no type"),
    ],
)
def test_what_is_not_editable_or_not_of_its_type_decides_nothing(
    pointer: str, value: Any, sentence: str
) -> None:
    anna = make_user("anna")
    request = put(anna)

    with pytest.raises(InvalidFields) as refused:
        approve(request, anna, edits={pointer: value})

    assert sentence in refused.value.fields[f"edits.{pointer}"]
    request.refresh_from_db()
    assert request.is_pending
    assert not Decision.objects.exists()


def test_an_edit_may_not_make_the_payload_larger_than_one_may_be() -> None:
    anna = make_user("anna")
    request = put(anna)

    with pytest.raises(InvalidFields, match="exceed 131072 bytes"):
        approve(request, anna, edits={"/note": "x" * 131_000})


def test_an_answer_beyond_what_aws_takes_is_refused_before_it_is_decided() -> None:
    anna = make_user("anna")
    request = put(anna)

    with pytest.raises(InvalidFields, match="exceed 256 KiB"):
        approve(request, anna, edits={"/note": "ø" * 64_000}, comment="c" * 9_000)

    assert not Decision.objects.exists()


def test_a_rejection_with_edits_is_refused_in_words() -> None:
    anna = make_user("anna")
    request = put(anna)

    with pytest.raises(InvalidFields, match="A rejection changes nothing"):
        lifecycle.decide(
            request.pk, verdict=Verdict.REJECTED, reviewer=anna, channel=Channel.API,
            comment="No.", edits={"/amount": "1.00"},
        )  # fmt: skip


def test_nothing_is_editable_where_the_function_receives_a_fixed_word() -> None:
    anna = make_user("anna")
    request = put(anna, approve_with="yes")

    with pytest.raises(InvalidFields, match="cannot be edited"):
        approve(request, anna, edits={"/amount": "1.00"})


def test_what_may_be_edited_is_frozen_by_the_database() -> None:
    request = put(make_user("anna"))

    with pytest.raises(IntegrityError, match="what reviewers saw"):
        ApprovalRequest.objects.filter(pk=request.pk).update(editable=["/none"])


def test_edits_stand_as_they_were_made() -> None:
    anna = make_user("anna")
    approve(put(anna), anna, edits={"/amount": "1.00"})

    with pytest.raises(IntegrityError, match="a decision stands"):
        Decision.objects.update(edits_text='{"/amount":"9.00"}')


def test_history_names_places_and_hashes_and_no_value() -> None:
    anna = make_user("anna")
    request = put(anna)

    decision = approve(request, anna, edits={"/note": "a secret", "/amount": "1.00"})

    facts = request.history.latest("seq").facts
    assert facts["edited"] == ["/amount", "/note"]
    assert facts["edits_sha256"] == sha256_hex(decision.edits_text)
    assert facts["final_payload_sha256"] == decision.final_sha256
    assert "a secret" not in json.dumps(facts)


def test_two_who_approve_the_same_edits_make_one_answer() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    request = put(anna, bert, required_approvals=2)

    approve(request, anna, edits={"/amount": "280.80", "/ok": False})
    approve(request, bert, edits={"/ok": False, "/amount": "280.80"})

    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    document = with_tokens(sent(request))
    assert isinstance(document, dict)
    assert document["decided_by"] == ["anna", "bert"]
    assert canonical_json(document["edits"]) == '{"/amount":"280.80","/ok":false}'


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ({"/amount": "280.80"}, {}, "approved this with 1 edit. Approve the same values"),
        ({"/amount": "280.80"}, {"/amount": "280.8"}, "approved this with 1 edit."),
        ({}, {"/amount": "280.80"}, "approved this as it was sent. Approve it unchanged"),
    ],
)
def test_a_second_person_cannot_approve_another_payload(
    first: dict[str, Any], second: dict[str, Any], sentence: str
) -> None:
    anna, bert = make_user("anna"), make_user("bert")
    request = put(anna, bert, required_approvals=2)
    approve(request, anna, edits=first)

    with pytest.raises(StalePage, match=r"^Anna ") as refused:
        approve(request, bert, edits=second)

    assert sentence in str(refused.value)
    request.refresh_from_db()
    assert request.is_pending
    assert Decision.objects.get().reviewer == anna


def test_the_second_person_may_always_reject() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    request = put(anna, bert, required_approvals=2)
    approve(request, anna, edits={"/amount": "280.80"})

    lifecycle.decide(
        request.pk, verdict=Verdict.REJECTED, reviewer=bert, channel=Channel.API, comment="Too low."
    )

    answer = json.loads(sent(request))
    assert answer["ErrorType"] == "ApprovalRejected"
    assert "edits" not in json.loads(answer["ErrorData"])
