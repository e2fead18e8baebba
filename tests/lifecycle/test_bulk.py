"""What may be decided together with others is asked at the click, under the request's lock."""

from __future__ import annotations

from typing import Any

import pytest

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import FourEyes, NotAReviewer, NotTogether, StalePage
from approvals.models import ApprovalRequest, AuditEvent, Decision, Opening, User
from approvals.policy import Wanting
from approvals.states import BulkRule, Channel, RequestState, Verdict
from tests.factories import make_kind, make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

LOW, SOME, UNKNOWN = {"score": 39}, {"score": 40}, None
FORM = {"type": "object", "properties": {"why": {"type": "string"}}}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def wave(request: ApprovalRequest, person: User, **said: Any) -> Decision:
    """PERSON decides REQUEST together with others."""
    told = {"verdict": Verdict.APPROVED, "channel": Channel.BULK, **said}
    return lifecycle.decide(request.pk, reviewer=person, **told).decision


def look(request: ApprovalRequest, person: User) -> None:
    Opening.objects.create(request=request, user=person, opened_at=database_now())


def test_what_is_of_low_risk_is_decided_unread_and_its_history_says_how(anna: User) -> None:
    request = make_request(anna, risk=LOW)
    decision = wave(request, anna, seen_sha256=request.payload_sha256, seen_votes=0)
    request.refresh_from_db()
    assert (request.state, decision.channel) == (RequestState.APPROVED, "bulk")
    assert request.history.get(tag="request.approved").facts["channel"] == "bulk"
    assert AuditEvent.objects.broken_at(request) is None


@pytest.mark.parametrize(
    ("risk", "why"),
    [
        (SOME, "Its risk is 40: open it from the list first."),
        (UNKNOWN, "Its risk is not known: open it from the list first."),
    ],
)
def test_any_other_risk_is_to_be_opened_first_by_who_decides(
    anna: User, risk: Any, why: str
) -> None:
    bert = make_user("bert")
    request = make_request(anna, bert, risk=risk)
    look(request, bert)
    with pytest.raises(NotTogether, match=why):
        wave(request, anna)
    assert not Decision.objects.exists()
    look(request, anna)
    assert wave(request, anna).reviewer == anna


def test_by_itself_it_is_decided_whatever_its_risk(anna: User) -> None:
    request = make_request(anna, risk=SOME)
    assert wave(request, anna, channel=Channel.BROWSER).reviewer == anna


def test_a_kind_may_ask_that_each_is_opened(anna: User) -> None:
    request = make_request(anna, risk=LOW)
    make_kind(bulk=BulkRule.OPENED)  # said after it came in: it counts at the click
    with pytest.raises(NotTogether, match="Open it from the list first"):
        wave(request, anna)
    look(request, anna)
    assert wave(request, anna).reviewer == anna


def test_a_kind_may_forbid_it(anna: User) -> None:
    make_kind(bulk=BulkRule.NEVER)
    request = make_request(anna, risk=LOW)
    look(request, anna)
    with pytest.raises(NotTogether, match="decided one by one"):
        wave(request, anna)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_form_is_filled_in_on_its_own_page(anna: User, verdict: Verdict) -> None:
    request = make_request(anna, risk=LOW, response_schema=FORM)
    look(request, anna)
    with pytest.raises(NotTogether, match="a form to fill in"):
        wave(request, anna, verdict=verdict, comment="No.")


def test_edits_of_who_approved_first_are_looked_at(anna: User) -> None:
    bert = make_user("bert")
    request = make_request(anna, bert, risk=LOW, editable=["/total"], required_approvals=2)
    wave(request, bert, channel=Channel.BROWSER, edits={"/total": 11})
    look(request, anna)
    with pytest.raises(NotTogether, match=r"Bert approved it with 1 edit: look at it first\."):
        wave(request, anna)


def test_what_may_be_edited_and_was_not_goes_with_the_others(anna: User) -> None:
    request = make_request(anna, risk=LOW, editable=["/total"])
    assert wave(request, anna).edits == {}


def test_a_vote_since_the_summary_makes_it_stale(anna: User) -> None:
    bert = make_user("bert")
    request = make_request(anna, bert, risk=LOW, required_approvals=2)
    wave(request, bert, seen_votes=0)
    with pytest.raises(StalePage, match="Bert approved this since you saw it"):
        wave(request, anna, seen_votes=0)
    assert wave(request, anna, seen_votes=1).reviewer == anna


def test_a_vote_taken_back_since_the_summary_makes_it_stale(anna: User) -> None:
    request = make_request(anna, make_user("bert"), risk=LOW, required_approvals=2)
    with pytest.raises(StalePage, match="took a decision on this back"):
        wave(request, anna, seen_votes=1)


def test_another_payload_than_the_summary_showed_is_stale(anna: User) -> None:
    request = make_request(anna, risk=LOW)
    with pytest.raises(StalePage):
        wave(request, anna, seen_sha256="0" * 64)


def test_the_gate_is_the_same_as_for_one_alone(anna: User) -> None:
    bert = make_user("bert")
    own = make_request(anna, bert, risk=LOW, wanting=Wanting(requested_by="anna"))
    with pytest.raises(FourEyes):
        wave(own, anna)
    with pytest.raises(NotAReviewer):
        wave(make_request(bert, risk=LOW), anna)
    assert not Decision.objects.exists()


def test_it_is_held_as_one_alone(anna: User) -> None:
    make_kind(undo_seconds=10)
    request = make_request(anna, risk=LOW)
    decision = wave(request, anna, held=True)
    request.refresh_from_db()
    assert request.is_pending
    assert request.held_until == decision.undo_until
    lifecycle.undo(request.pk, reviewer=anna)
    request.refresh_from_db()
    assert request.held_until is None
