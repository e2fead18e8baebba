"""One decision, by somebody who may, with the answer owed in the same breath."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, connections, transaction

from approvals import lifecycle
from approvals.errors import (
    AlreadyClosed,
    AlreadyVoted,
    FourEyes,
    InvalidFields,
    NotAReviewer,
    Refusal,
    StalePage,
)
from approvals.keyring import SealBroken
from approvals.lifecycle import outcome, writing
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    Heartbeat,
    Notice,
    User,
)
from approvals.policy import Wanting
from approvals.states import Channel, NoticeKind, OnReject, RequestState, Verdict
from tests.factories import make_request, make_role, make_team, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


def decide(request: ApprovalRequest, reviewer: User, **wish: Any) -> lifecycle.Decided:
    wish = {"verdict": Verdict.APPROVED, "channel": Channel.BROWSER, **wish}
    return lifecycle.decide(request.pk, reviewer=User.objects.get(pk=reviewer.pk), **wish)


def reject(request: ApprovalRequest, reviewer: User, comment: str = "No.") -> lifecycle.Decided:
    return decide(request, reviewer, verdict=Verdict.REJECTED, comment=comment)


def sent(request: ApprovalRequest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(CallbackDelivery.objects.get(request=request).body)
    return document


def nothing_was_written(request: ApprovalRequest) -> bool:
    request.refresh_from_db()
    return (
        request.is_pending
        and not Decision.objects.exists()
        and not CallbackDelivery.objects.exists()
        and request.history.count() == 1
    )


def test_an_approval_closes_the_request_and_owes_aws_a_success(anna: User) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30)

    done = decide(request, anna, comment="  Checked by phone.  ")

    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert request.closed_at == done.decision.decided_at
    assert request.delivery.verb == "succeed"
    assert sent(request) == {
        "outcome": "approved",
        "request_id": str(request.public_id),
        "decision_id": str(done.decision.public_id),
        "decided_by": ["anna"],
        "decided_at": done.decision.decided_at.isoformat(),
        "comment": "Checked by phone.",
        "values": {},
        "payload_sha256": request.payload_sha256,
        "cause": "person",
    }


def test_heartbeats_go_on_until_aws_has_the_answer(anna: User) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30)

    decide(request, anna)

    assert Heartbeat.objects.filter(request=request).exists()


def test_a_rejection_is_a_failure_that_carries_the_decision(anna: User) -> None:
    request = make_request(anna)

    reject(request, anna, "The address is wrong.")

    error = sent(request)
    assert request.delivery.verb == "fail"
    assert error["ErrorType"] == "ApprovalRejected"
    assert error["ErrorMessage"] == "Rejected by anna: The address is wrong."
    assert json.loads(error["ErrorData"])["outcome"] == "rejected"


def test_a_rejection_is_a_success_where_the_function_branches_on_the_value(anna: User) -> None:
    request = make_request(anna, on_reject=OnReject.SUCCESS)

    reject(request, anna)

    assert request.delivery.verb == "succeed"
    assert sent(request)["outcome"] == "rejected"


def test_words_the_function_compares_with_are_sent_as_they_are(anna: User) -> None:
    yes = make_request(anna, approve_with="approve")
    no = make_request(anna, on_reject=OnReject.SUCCESS, reject_with="reject")

    decide(yes, anna)
    reject(no, anna)

    assert (yes.delivery.body, no.delivery.body) == (b"approve", b"reject")


def test_who_was_not_asked_cannot_decide(anna: User, bert: User) -> None:
    request = make_request(anna)

    with pytest.raises(NotAReviewer):
        decide(request, bert)
    assert nothing_was_written(request)


@pytest.mark.parametrize("role", ["operator", "auditor", "admin"])
def test_no_role_decides_by_itself(anna: User, role: str) -> None:
    request = make_request(anna, groups=[make_team("desk").name])
    other = make_user("other", role=role, groups=["desk"])

    with pytest.raises(NotAReviewer):
        decide(request, other)
    assert nothing_was_written(request)


@pytest.mark.parametrize(
    "leave",
    [
        lambda user: user.groups.remove(make_team("desk")),
        lambda user: user.groups.remove(make_role("reviewer")),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["left the group", "lost the role", "deactivated"],
)
def test_eligibility_is_that_of_the_click(bert: User, leave: Callable[[User], Any]) -> None:
    cleo = make_user("cleo", groups=["desk"])
    request = make_request(bert, groups=["desk"])

    leave(cleo)

    with pytest.raises(NotAReviewer):
        decide(request, cleo)
    assert nothing_was_written(request)


@pytest.mark.parametrize(
    "wanting",
    [
        Wanting(requested_by="Anna"),
        Wanting(on_behalf_of="anna@example.com"),
        Wanting(agent=" ANNA "),
        Wanting(requested_by="idp|4711"),
    ],
)
def test_nobody_decides_their_own_wish(anna: User, bert: User, wanting: Wanting) -> None:
    User.objects.filter(pk=anna.pk).update(subject="idp|4711")
    request = make_request(anna, bert, wanting=wanting)

    with pytest.raises(FourEyes):
        decide(request, anna)
    assert nothing_was_written(request)
    decide(request, bert)


def test_an_error_in_the_gate_means_no_decision(anna: User) -> None:
    request = make_request(anna)

    with (
        mock.patch("approvals.policy.Wanting.names", side_effect=RuntimeError),
        pytest.raises(RuntimeError),
    ):
        decide(request, anna)
    assert nothing_was_written(request)


def test_two_distinct_people_are_needed_where_two_are_required(anna: User, bert: User) -> None:
    request = make_request(anna, bert, required_approvals=2)

    first = decide(request, anna, comment="Fine.")
    request.refresh_from_db()
    assert first.missing == 1
    assert request.is_pending
    with pytest.raises(AlreadyVoted):
        decide(request, anna)
    with pytest.raises(AlreadyVoted):
        reject(request, anna)

    second = decide(request, bert)

    request.refresh_from_db()
    assert second.missing == 0
    assert request.state == RequestState.APPROVED
    assert sent(request)["decided_by"] == ["anna", "bert"]
    assert [event.tag for event in request.history.all()] == [
        "request.received",
        "request.voted",
        "request.approved",
    ]


def test_a_vote_of_somebody_who_may_no_longer_decide_does_not_count(anna: User, bert: User) -> None:
    request = make_request(anna, bert, make_user("cleo"), required_approvals=2)
    decide(request, anna)
    User.objects.filter(pk=anna.pk).update(is_active=False)

    assert decide(request, bert).missing == 1

    decide(request, User.objects.get(username="cleo"))
    assert sent(request)["decided_by"] == ["bert", "cleo"]


def test_two_accounts_of_one_person_are_one_person(anna: User, bert: User) -> None:
    request = make_request(anna, bert, required_approvals=2)
    User.objects.filter(pk=bert.pk).update(email="ANNA@example.com")

    decide(request, anna)

    assert decide(request, bert).missing == 1


def test_a_vote_that_could_never_be_sent_does_not_block_the_next(
    anna: User, bert: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(anna, bert, required_approvals=2)
    monkeypatch.setattr(outcome, "RESULT_LIMIT", 100)

    with pytest.raises(InvalidFields, match="256 KiB"):
        decide(request, anna)
    assert nothing_was_written(request)


def test_renaming_an_account_frees_nobody_from_four_eyes(anna: User, bert: User) -> None:
    request = make_request(anna, bert, wanting=Wanting(requested_by="anna"))
    User.objects.filter(pk=anna.pk).update(username="innocent", email="new@example.com")

    with pytest.raises(FourEyes):
        decide(request, anna)


def test_four_eyes_sees_through_other_spellings_of_a_letter(bert: User) -> None:
    jose = make_user("jos\u00e9")
    request = make_request(jose, bert, wanting=Wanting(requested_by="jose\u0301"))

    with pytest.raises(FourEyes):
        decide(request, jose)


def test_one_rejection_ends_it_whoever_approved_before(anna: User, bert: User) -> None:
    request = make_request(anna, bert, required_approvals=2)
    decide(request, anna)

    reject(request, bert)

    request.refresh_from_db()
    assert request.state == RequestState.REJECTED
    assert json.loads(sent(request)["ErrorData"])["decided_by"] == ["bert"]


def test_whoever_comes_second_is_told_who_was_first(anna: User, bert: User) -> None:
    request = make_request(anna, bert)
    decide(request, anna)

    with pytest.raises(AlreadyClosed, match=r"Anna approved this at \d\d:\d\d:\d\d UTC"):
        reject(request, bert)
    assert Decision.objects.count() == CallbackDelivery.objects.count() == 1


def test_of_twenty_simultaneous_verdicts_one_wins() -> None:
    people = [make_user(f"r{n}") for n in range(20)]
    request = make_request(*people)

    def press(n: int) -> str:
        try:
            decide(request, people[n], verdict=list(Verdict)[n % 2], comment="At the same moment.")
            return "won"
        except AlreadyClosed:
            return "lost"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(press, range(20)))

    assert sorted(outcomes) == ["lost"] * 19 + ["won"]
    assert Decision.objects.count() == CallbackDelivery.objects.count() == 1
    assert AuditEvent.objects.broken_at(request) is None


def test_after_the_deadline_a_click_is_too_late_even_before_the_sweep(anna: User) -> None:
    request = past_its_deadline(make_request(anna, timeout_seconds=60))

    with pytest.raises(AlreadyClosed, match="deadline passed"):
        decide(request, anna)
    assert nothing_was_written(request)


def test_a_stale_page_decides_nothing(anna: User) -> None:
    request = make_request(anna)

    with pytest.raises(StalePage):
        decide(request, anna, seen_sha256="0" * 64)
    assert nothing_was_written(request)
    decide(request, anna, seen_sha256=request.payload_sha256)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"verdict": Verdict.REJECTED}, "comment"),
        ({"verdict": Verdict.REJECTED, "comment": " \n"}, "comment"),
        ({"comment": "x" * 10_001}, "comment"),
        ({"comment": "a\0b"}, "comment"),
        ({"values": {"a": 1}}, "values"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    anna: User, wish: dict[str, Any], field: str
) -> None:
    request = make_request(anna)

    with pytest.raises(InvalidFields) as refused:
        decide(request, anna, **wish)
    assert list(refused.value.fields) == [field]
    assert nothing_was_written(request)


SCHEMA = {
    "type": "object",
    "required": ["express", "note"],
    "properties": {
        "express": {"type": "boolean"},
        "note": {"type": "string", "minLength": 2},
        "pick": {"enum": ["a", "b"]},
        "on": {"type": "string", "format": "date"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
    },
}


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, {"values.express", "values.note"}),
        ({"express": "yes", "note": "ok"}, {"values.express"}),
        ({"express": True, "note": "o"}, {"values.note"}),
        ({"express": True, "note": "ok", "pick": "c"}, {"values.pick"}),
        ({"express": True, "note": "ok", "on": "31.12.2026"}, {"values.on"}),
        ({"express": True, "note": "ok", "count": 10}, {"values.count"}),
        ({"express": True, "note": "ok", "count": True}, {"values.count"}),
        ({"express": True, "note": "ok", "extra": 1}, {"values.extra"}),
    ],
)
def test_an_approval_fills_in_the_form_the_sender_asked_for(
    anna: User, values: dict[str, Any], fields: set[str]
) -> None:
    request = make_request(anna, response_schema=SCHEMA)

    with pytest.raises(InvalidFields) as refused:
        decide(request, anna, values=values)
    assert set(refused.value.fields) == fields
    assert nothing_was_written(request)


def test_filled_in_values_reach_the_function_with_their_types(anna: User) -> None:
    request = make_request(anna, response_schema=SCHEMA)

    decide(request, anna, values={"express": False, "note": "ok", "count": 3})

    assert sent(request)["values"] == {"express": False, "note": "ok", "count": 3}


def test_a_rejection_needs_no_form(anna: User) -> None:
    request = make_request(anna, response_schema=SCHEMA)

    reject(request, anna)

    assert json.loads(sent(request)["ErrorData"])["values"] == {}


def test_an_answer_too_large_for_aws_is_refused_before_anybody_decides(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(anna)
    monkeypatch.setattr(outcome, "RESULT_LIMIT", 100)

    with pytest.raises(InvalidFields, match="256 KiB"):
        decide(request, anna)
    assert nothing_was_written(request)


def test_the_others_are_told_and_the_decider_is_not(anna: User, bert: User) -> None:
    request = make_request(anna, bert)

    decide(request, anna)

    told = Notice.objects.filter(kind=NoticeKind.HANDLED)
    assert [notice.user for notice in told] == [bert]


def test_if_history_cannot_be_written_nothing_is(anna: User) -> None:
    request = make_request(anna)

    with (
        mock.patch("approvals.models.audit.seal_line", side_effect=RuntimeError),
        pytest.raises(RuntimeError),
    ):
        decide(request, anna)
    assert nothing_was_written(request)


def test_a_decision_cannot_hide_inside_another_transaction(anna: User) -> None:
    request = make_request(anna)

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        decide(request, anna)


def test_refusals_have_one_family() -> None:
    assert issubclass(FourEyes, NotAReviewer)
    assert all(issubclass(kind, Refusal) for kind in (AlreadyClosed, StalePage, InvalidFields))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE approvals_decision SET verdict = 'rejected'",
        "DELETE FROM approvals_decision",
        "TRUNCATE approvals_decision CASCADE",
        "UPDATE approvals_auditevent SET actor_name = 'mallory'",
        "DELETE FROM approvals_auditevent",
        "TRUNCATE approvals_auditevent",
        "UPDATE approvals_approvalrequest SET state = 'pending', closed_at = NULL",
        "UPDATE approvals_approvalrequest SET state = 'rejected'",
        "UPDATE approvals_approvalrequest SET title = 'Something else'",
        "UPDATE approvals_approvalrequest SET payload_text = '{}'",
        "UPDATE approvals_approvalrequest SET requested_by = 'mallory'",
        "DELETE FROM approvals_approvalrequest",
        "UPDATE approvals_callbackdelivery SET verb = 'fail'",
        "DELETE FROM approvals_callbackdelivery",
        "TRUNCATE approvals_callbackdelivery",
        "TRUNCATE approvals_approvalrequest CASCADE",
        "UPDATE approvals_approvalrequest SET summary = 'Harmless'",
        "UPDATE approvals_approvalrequest SET wanted_by_ids = '{7}'",
    ],
)
def test_the_database_refuses_to_rewrite_what_was_decided(anna: User, tampering: str) -> None:
    decide(make_request(anna), anna)

    with pytest.raises(IntegrityError, match="is refused"), connection.cursor() as cursor:
        cursor.execute(tampering)


def test_the_chain_shows_what_a_superuser_rewrote(anna: User, bert: User) -> None:
    request = make_request(anna, bert, required_approvals=2)
    decide(request, anna)
    decide(request, bert)
    assert AuditEvent.objects.broken_at(request) is None

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE approvals_auditevent SET actor_name = 'mallory' WHERE seq = 2")
        cursor.execute("SET session_replication_role = origin")

    assert AuditEvent.objects.broken_at(request) == 2


def test_what_is_sealed_for_one_request_does_not_open_in_another(anna: User) -> None:
    mine, other = make_request(anna), make_request(anna)
    decide(mine, anna)
    reject(other, anna)
    approved = CallbackDelivery.objects.get(request=mine).sealed_body

    CallbackDelivery.objects.filter(request=other).update(sealed_body=approved)
    ApprovalRequest.objects.filter(pk=other.pk).update(callback_sealed=mine.callback_sealed)

    other.refresh_from_db()
    with pytest.raises(SealBroken):
        _ = other.callback_id
    with pytest.raises(SealBroken):
        _ = other.delivery.body


def test_history_says_which_bytes_are_owed(anna: User) -> None:
    request = make_request(anna)
    decide(request, anna)

    owed = hashlib.sha256(CallbackDelivery.objects.get(request=request).body).hexdigest()
    closing = request.history.last()
    assert closing is not None
    assert closing.facts["answer_sha256"] == owed


def test_a_decision_takes_three_statements_in_its_transaction(
    anna: User, bert: User, django_assert_num_queries: Any
) -> None:
    request = make_request(anna, bert, required_approvals=2, heartbeat_timeout_seconds=30)
    decide(request, bert)

    # Who asks; lock, look, write; BEGIN and COMMIT; and the bell, which is PostgreSQL's own.
    with django_assert_num_queries(1 + 3 + 2 + 1):
        decide(request, anna)

    assert AuditEvent.objects.broken_at(request) is None


def test_what_is_handed_back_is_what_is_written(anna: User, bert: User) -> None:
    request = make_request(anna, bert, required_approvals=2, payload={"total": 12.5})
    decide(request, bert, comment="Yes.")

    done = decide(request, anna, comment="Ærlig 🧾")

    stored = ApprovalRequest.objects.get(pk=request.pk)
    assert done.delivery is not None
    for told, row in (
        (done.decision.request, stored),
        (done.decision, stored.decisions.get(reviewer=anna)),
        (done.delivery, stored.delivery),
    ):
        for field in row._meta.concrete_fields:
            if not (field.primary_key and told.pk is None):
                value = getattr(row, field.attname)
                assert getattr(told, field.attname) == value, field.name
    [former] = done.former
    assert former.reviewer is not None
    assert (former.reviewer.username, former.comment, former.verdict) == (
        "bert", "Yes.", Verdict.APPROVED,
    )  # fmt: skip


def test_nothing_is_written_where_the_request_turns_out_closed(anna: User) -> None:
    request = make_request(anna)
    closed_meanwhile = import_module("approvals.lifecycle.decide")

    def close_behind_its_back(*args: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE approvals_approvalrequest SET state = 'expired', closed_at = now()"
            )
        writing.write_decided(*args)

    with (
        mock.patch.object(closed_meanwhile, "write_decided", side_effect=close_behind_its_back),
        pytest.raises(RuntimeError),
    ):
        decide(request, anna)
    assert nothing_was_written(request)
