"""An operator answers in the place of those who were asked, or takes the request back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from approvals import lifecycle
from approvals.errors import AlreadyClosed, AlreadyVoted, FourEyes, InvalidFields, NotAnOperator
from approvals.lifecycle.desk import closing_sentence
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    Heartbeat,
    SourceRole,
    User,
)
from approvals.policy import Wanting
from approvals.states import AuditTag, Cause, Channel, OnReject, RequestState, Verdict, Withdrawal
from tests.factories import make_request, make_source, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def olu() -> User:
    return make_user("olu", role="operator")


def force(request: ApprovalRequest, operator: User, **wish: Any) -> Decision:
    wish = {"verdict": Verdict.APPROVED, "reason": "Nobody is in.", **wish}
    return lifecycle.force(request.pk, operator=operator, channel=Channel.BROWSER, **wish)


def take_back(request: ApprovalRequest, operator: User, reason: str = "Sent twice.") -> None:
    lifecycle.take_back(request.pk, operator=operator, reason=reason)


def untouched(request: ApprovalRequest) -> bool:
    request.refresh_from_db()
    return (
        request.is_pending
        and not Decision.objects.filter(cause=Cause.OPERATOR).exists()
        and not CallbackDelivery.objects.exists()
    )


def test_a_forced_approval_stands_in_for_all_and_says_so_to_the_function(
    anna: User, olu: User
) -> None:
    request = make_request(anna, make_user("bert"), required_approvals=2)

    decision = force(request, olu, reason=" Nobody\nis in. ")

    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    document = json.loads(CallbackDelivery.objects.get(request=request).body)
    assert document["cause"] == "operator"
    assert document["decided_by"] == ["olu"]
    assert document["comment"] == "Nobody is in."
    assert document["decision_id"] == str(decision.public_id)
    assert (decision.cause, decision.reviewer) == (Cause.OPERATOR, olu)
    event = AuditEvent.objects.get(tag=AuditTag.FORCED)
    assert (event.actor, event.facts["verdict"]) == (olu, "approved")
    assert AuditEvent.objects.broken_at(request) is None
    assert "Forced by an operator: Olu approved this at" in closing_sentence(request)
    assert closing_sentence(request).endswith(", because: Nobody is in.")


@pytest.mark.parametrize(
    ("rule", "verb"), [(OnReject.FAILURE, "fail"), (OnReject.SUCCESS, "succeed")]
)
def test_a_forced_rejection_is_told_as_any_rejection(
    anna: User, olu: User, rule: OnReject, verb: str
) -> None:
    request = make_request(anna, on_reject=rule)

    force(request, olu, verdict=Verdict.REJECTED)

    owed = CallbackDelivery.objects.get(request=request)
    sent = json.loads(owed.body)
    document = json.loads(sent["ErrorData"]) if verb == "fail" else sent
    assert owed.verb == verb
    assert (document["outcome"], document["cause"]) == ("rejected", "operator")


def test_votes_cast_before_do_not_speak_for_what_is_forced(anna: User, olu: User) -> None:
    request = make_request(anna, make_user("bert"), required_approvals=2)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)

    force(request, olu)

    assert json.loads(CallbackDelivery.objects.get().body)["decided_by"] == ["olu"]


@pytest.mark.parametrize("wanting", ["requested_by", "on_behalf_of", "agent"])
def test_who_wants_it_cannot_force_it(anna: User, olu: User, wanting: str) -> None:
    request = make_request(anna, wanting=Wanting(**{wanting: " OLU@example.com "}))

    with pytest.raises(FourEyes):
        force(request, olu)
    assert untouched(request)


def test_a_new_name_since_signing_in_frees_nobody(anna: User, olu: User) -> None:
    request = make_request(anna, wanting=Wanting(requested_by="robin"))
    User.objects.filter(pk=olu.pk).update(subject="robin")

    with pytest.raises(FourEyes):
        force(request, olu)
    assert untouched(request)


@pytest.mark.parametrize("account", ["own", "second"])
def test_who_voted_cannot_force_it_under_any_account(olu: User, account: str) -> None:
    voter = olu if account == "own" else make_user("olu-at-work")
    User.objects.filter(pk=voter.pk).update(email=olu.email)
    SourceRole.objects.create(source=(source := make_source()), may="review", user=voter)
    request = make_request(voter, make_user("bert"), source=source, required_approvals=2)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=voter, channel=Channel.API)

    with pytest.raises(AlreadyVoted):
        force(request, olu)
    assert untouched(request)


def test_an_approval_without_the_values_the_function_needs_is_not_forced(
    anna: User, olu: User
) -> None:
    schema = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
    request = make_request(anna, response_schema=schema)

    with pytest.raises(InvalidFields) as refused:
        force(request, olu)
    assert "needs sum" in refused.value.fields["verdict"]
    assert untouched(request)
    force(request, olu, verdict=Verdict.REJECTED)


VERBS: dict[str, Callable[..., Any]] = {"force": force, "take back": take_back}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("reason", ["", " \t\n", "x" * 501, "a\0b"])
def test_an_operator_says_why(anna: User, olu: User, verb: str, reason: str) -> None:
    request = make_request(anna)

    with pytest.raises(InvalidFields) as refused:
        VERBS[verb](request, olu, reason=reason)
    assert set(refused.value.fields) == {"reason"}
    assert untouched(request)


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_decided_stays_decided(anna: User, olu: User, verb: str) -> None:
    request = make_request(anna)
    lifecycle.decide(
        request.pk, verdict=Verdict.REJECTED, reviewer=anna, channel=Channel.API, comment="No."
    )

    with pytest.raises(AlreadyClosed) as refused:
        VERBS[verb](request, olu)
    assert "Anna rejected this at" in str(refused.value)
    assert CallbackDelivery.objects.count() == 1


def test_nothing_is_forced_past_the_deadline(anna: User, olu: User) -> None:
    request = past_its_deadline(make_request(anna, timeout_seconds=60))

    with pytest.raises(AlreadyClosed):
        force(request, olu)
    assert untouched(request)


@pytest.mark.parametrize("verb", [*VERBS, "redrive"])
@pytest.mark.parametrize("role", ["reviewer", "auditor", "elsewhere", "stripped", "inactive"])
def test_only_an_operator_of_the_source_may(anna: User, verb: str, role: str) -> None:
    person = make_user("person", role=role if role in ("reviewer", "auditor") else "operator")
    request = make_request(anna, person)
    if role == "elsewhere":
        person.groups.clear()
        SourceRole.objects.create(source=make_source(), may="operate", user=person)
    if role in ("stripped", "inactive"):
        assert person.rights.may("operate", request.source_id)  # as the object remembers it
        person.groups.clear()
        User.objects.filter(pk=person.pk).update(is_active=role != "inactive")
    if verb == "redrive":
        lifecycle.take_back(request.pk, operator=make_user(role="operator"), reason="Twice.")
        owed = CallbackDelivery.objects.get()
        with pytest.raises(NotAnOperator):
            lifecycle.redrive(owed.pk, operator=person, reason="Again.")
        return

    with pytest.raises(NotAnOperator):
        VERBS[verb](request, person)
    assert untouched(request)


@pytest.mark.parametrize("verb", VERBS)
def test_the_right_is_asked_for_under_the_lock(
    anna: User, olu: User, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who loses the role while they wait for the lock does nothing with it."""
    request = make_request(anna)
    lock = lifecycle.desk.lock

    def lose_the_role(request_id: int) -> ApprovalRequest:
        found = lock(request_id)
        assert connection.in_atomic_block
        olu.groups.clear()
        return found

    monkeypatch.setattr(lifecycle.desk, "lock", lose_the_role)
    with pytest.raises(NotAnOperator):
        VERBS[verb](request, olu)
    assert untouched(request)


def test_what_an_operator_takes_back_fails_at_aws(anna: User, olu: User) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30)

    take_back(request, olu)

    request.refresh_from_db()
    assert (request.state, request.withdrawal) == (RequestState.WITHDRAWN, Withdrawal.OPERATOR)
    error = json.loads(CallbackDelivery.objects.get(request=request).body)
    assert (error["ErrorType"], error["ErrorMessage"]) == ("ApprovalWithdrawn", "Sent twice.")
    document = json.loads(error["ErrorData"])
    assert (document["outcome"], document["cause"]) == ("withdrawn", "operator")
    assert document["comment"] == "Sent twice."
    assert AuditEvent.objects.get(tag=AuditTag.WITHDRAWN).actor == olu
    assert Heartbeat.objects.filter(request=request).exists()  # until AWS has the answer
    assert closing_sentence(request).startswith("An operator took it back at ")
    assert closing_sentence(request).endswith(", because: Sent twice.")
