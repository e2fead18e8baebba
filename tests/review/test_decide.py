"""Deciding in the browser: every status, with htmx and without."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, User
from approvals.policy import Wanting
from approvals.states import Channel, RequestState, Verdict, Withdrawal
from tests.factories import make_kind, make_request, make_user
from tests.review.people import HTMX, Caller, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def order(anna: User, bert: User) -> ApprovalRequest:
    return make_request(anna, bert, title="Release order NO-7", timeout_seconds=3_600)


def press(client: Client, request: ApprovalRequest, verdict: str = "approved", **fields):
    headers = fields.pop("headers", None)
    return client.post(
        f"/requests/{request.public_id}/decide/", {"verdict": verdict, **fields}, headers=headers
    )


def test_a_plain_post_decides_and_leads_to_the_page(anna: User, order: ApprovalRequest) -> None:
    answer = press(signed_in(anna), order, seen=order.payload_sha256, comment="Fine\r\nby me")
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"/requests/{order.public_id}/#decision",
    )
    decision = Decision.objects.get()
    assert (decision.reviewer, decision.channel) == (anna, Channel.BROWSER)
    assert decision.comment == "Fine\nby me"
    assert CallbackDelivery.objects.count() == 1


def test_htmx_gets_the_card_and_the_history(anna: User, order: ApprovalRequest) -> None:
    shown = press(signed_in(anna), order, headers=HTMX)
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "<html" not in text
    assert "Approved by Anna, sending…" in text
    assert 'hx-target="#history"' in text
    assert "approved this" in text


def test_the_page_never_says_approved_alone_before_aws_took_it(
    anna: User, order: ApprovalRequest
) -> None:
    client = signed_in(anna)
    press(client, order)
    text = client.get(order.get_absolute_url()).content.decode()
    assert "Approved by Anna, sending…" in text
    assert "AWS took the answer" not in text


def test_a_rejection_without_a_comment_comes_back_with_the_sentence_beside_the_field(
    anna: User, order: ApprovalRequest
) -> None:
    answer = press(signed_in(anna), order, "rejected", comment="  ")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert text.count("Say why you reject; the function receives it.") == 2
    assert 'aria-invalid="true"' in text
    assert "data-focus" in text
    assert not Decision.objects.exists()


def test_a_post_without_a_verdict_decides_nothing(anna: User, order: ApprovalRequest) -> None:
    answer = signed_in(anna).post(f"/requests/{order.public_id}/decide/", {"comment": "Enter"})
    assert answer.status_code == 422
    assert b"nothing was decided" in answer.content
    assert not Decision.objects.exists()


def test_the_first_submit_button_of_the_form_cannot_decide(
    anna: User, order: ApprovalRequest
) -> None:
    text = signed_in(anna).get(order.get_absolute_url()).content.decode()
    form = text[text.index('id="decide-form"') :]
    first = form[form.index("<button") : form.index("</button>")]
    assert "disabled" in first
    assert "verdict" not in first


@pytest.mark.parametrize("headers", [None, HTMX])
def test_who_comes_second_reads_who_was_faster_and_keeps_the_comment(
    anna: User, bert: User, order: ApprovalRequest, headers: dict[str, str] | None
) -> None:
    press(signed_in(anna), order)
    answer = press(signed_in(bert), order, "rejected", comment="No stock left", headers=headers)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Somebody was faster." in text
    assert "Anna approved this at" in text
    assert "No stock left" in text
    assert Decision.objects.count() == 1


def test_a_double_click_decides_once(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    assert press(client, order).status_code == 303
    again = press(client, order)
    assert again.status_code == 409
    assert "Your decision stands." in again.content.decode()
    assert Decision.objects.count() == 1


def test_a_vote_cannot_be_cast_twice(anna: User, bert: User) -> None:
    two = make_request(anna, bert, required_approvals=2)
    client = signed_in(anna)
    assert press(client, two).status_code == 303
    again = press(client, two, "rejected", comment="Changed my mind")
    assert again.status_code == 409
    assert Decision.objects.get().verdict == Verdict.APPROVED
    assert "2 approvals are needed; Anna approved, 1 to go." in again.content.decode()


def test_what_changed_since_it_was_seen_is_not_decided(anna: User, order: ApprovalRequest) -> None:
    answer = press(signed_in(anna), order, seen="0" * 64)
    assert answer.status_code == 409
    assert "out of date" in answer.content.decode()
    order.refresh_from_db()
    assert order.state == RequestState.PENDING


def test_the_requester_reads_why_not_and_is_refused(bert: User) -> None:
    dora = make_user("dora")
    own = make_request(dora, bert, wanting=Wanting(requested_by="Dora"))
    client = signed_in(dora)
    assert "somebody else must decide" in client.get(own.get_absolute_url()).content.decode()
    answer = press(client, own)
    assert answer.status_code == 403
    assert "somebody else must decide" in answer.content.decode()


@pytest.mark.parametrize("role", ["operator", "auditor", "admin"])
def test_who_sees_everything_decides_nothing(order: ApprovalRequest, role: str) -> None:
    client = signed_in(make_user(role=role))
    assert client.get(order.get_absolute_url()).status_code == 200
    assert press(client, order).status_code == 403
    assert not Decision.objects.exists()


def test_an_outsider_cannot_tell_a_request_from_none(order: ApprovalRequest) -> None:
    client = signed_in(make_user())
    for public_id in (order.public_id, uuid.uuid4()):
        assert client.get(f"/requests/{public_id}/").status_code == 404
        assert client.get(f"/requests/{public_id}/panel/").status_code == 404
        for verb in ("decide", "claim", "release"):
            answer = client.post(f"/requests/{public_id}/{verb}/", {"verdict": "approved"})
            assert answer.status_code == 404
    assert not Decision.objects.exists()


def test_a_post_without_the_token_is_refused_in_words(anna: User, order: ApprovalRequest) -> None:
    answer = press(signed_in(anna, csrf=True), order)
    assert answer.status_code == 403
    assert b"open for too long" in answer.content
    assert not Decision.objects.exists()


def test_a_withdrawn_request_says_so_instead_of_deciding(
    anna: User, order: ApprovalRequest
) -> None:
    lifecycle.withdraw(order.pk, why=Withdrawal.SOURCE, reason="Customer cancelled")
    answer = press(signed_in(anna), order)
    assert answer.status_code == 409
    assert "The source took it back" in answer.content.decode()
    assert "Customer cancelled" in answer.content.decode()


def test_claims_are_shown_to_others_and_block_nobody(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    first, second = signed_in(anna), signed_in(bert)
    assert first.post(f"/requests/{order.public_id}/claim/").status_code == 303
    assert "You are on it" in first.get(order.get_absolute_url()).content.decode()
    assert "<b>Anna</b> is looking at this" in second.get(order.get_absolute_url()).content.decode()
    assert "Anna is looking" in second.get("/requests/").content.decode()
    assert second.post(f"/requests/{order.public_id}/release/").status_code == 303
    order.refresh_from_db()
    assert order.claimed_by == anna
    assert press(second, order).status_code == 303


def test_letting_go_ends_the_claim(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    client.post(f"/requests/{order.public_id}/claim/", headers=HTMX)
    shown = client.post(f"/requests/{order.public_id}/release/", headers=HTMX)
    assert 'id="panel"' in shown.content.decode()
    assert "I am on it" in shown.content.decode()
    order.refresh_from_db()
    assert order.claimed_by is None


def test_pages_of_requests_are_kept_by_no_cache(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    for address in ("/requests/", order.get_absolute_url(), "/tokens/"):
        assert "no-store" in client.get(address)["Cache-Control"]


REASONS = ["Wrong address", "Not in budget"]


@pytest.fixture
def payment(anna: User, bert: User) -> ApprovalRequest:
    make_kind("payment", reject_reasons=REASONS)
    return make_request(anna, bert, kind="payment", timeout_seconds=3_600)


@pytest.mark.parametrize("headers", [None, HTMX])
@pytest.mark.parametrize(
    ("reason", "comment", "recorded"),
    [
        ("Wrong address", "", "Wrong address"),
        ("Wrong address", "No such street", "Wrong address: No such street"),
        ("", "No such street", "No such street"),
    ],
)
def test_a_reason_of_the_kind_begins_the_comment(  # noqa: PLR0917
    anna: User, payment: ApprovalRequest, reason: str, comment: str, recorded: str, headers
) -> None:
    answer = press(
        signed_in(anna), payment, "rejected", reason=reason, comment=comment, headers=headers
    )
    assert answer.status_code == (200 if headers else 303)
    assert Decision.objects.get().comment == recorded


def test_only_the_reasons_of_the_kind_are_taken(anna: User, payment: ApprovalRequest) -> None:
    answer = press(signed_in(anna), payment, "rejected", reason="Because", comment="x")
    assert answer.status_code == 422
    assert "Choose one of the list." in answer.content.decode()
    assert not Decision.objects.exists()


def test_an_approval_carries_no_reason_for_rejecting(anna: User, payment: ApprovalRequest) -> None:
    press(signed_in(anna), payment, reason="Wrong address", comment="Checked")
    assert Decision.objects.get().comment == "Checked"


def test_neither_a_reason_nor_a_comment_rejects_nothing(
    anna: User, payment: ApprovalRequest
) -> None:
    answer = press(signed_in(anna), payment, "rejected", reason="", comment=" ")
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_reasons_stand_in_the_form_only_where_the_kind_has_some(
    anna: User, order: ApprovalRequest, payment: ApprovalRequest
) -> None:
    client = signed_in(anna)
    offered = client.get(payment.get_absolute_url()).content.decode()
    for words in ("Reason for rejecting", *REASONS):
        assert words in offered
    assert "Reason for rejecting" not in client.get(order.get_absolute_url()).content.decode()
    assert press(client, order, "rejected", reason="Wrong address").status_code == 422


def test_a_reason_and_a_comment_that_are_too_long_together_come_back(
    anna: User, payment: ApprovalRequest
) -> None:
    answer = press(
        signed_in(anna), payment, "rejected", reason="Wrong address", comment="x" * 10_000
    )
    assert answer.status_code == 422
    assert "Shorten it to 10,000 characters." in answer.content.decode()


def test_a_reason_chosen_too_late_is_kept_with_the_comment(
    anna: User, bert: User, payment: ApprovalRequest
) -> None:
    press(signed_in(anna), payment)
    answer = press(
        signed_in(bert), payment, "rejected", reason="Wrong address", comment="No such street"
    )
    assert answer.status_code == 409
    assert "Wrong address: No such street</textarea>" in answer.content.decode()


def test_a_program_just_sends_a_comment(anna: User, payment: ApprovalRequest) -> None:
    sent = Caller(anna).decide(payment, {"verdict": "rejected", "comment": "Any words"})
    assert sent.status_code == 200
    assert Decision.objects.get().comment == "Any words"
