"""A callback ID is written down once, with everything it needs, or not at all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from typing import Any
from unittest import mock

import pytest
from django.db import connections, transaction

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import DifferentContent, InvalidFields
from approvals.lifecycle import NewRequest
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackSource,
    Execution,
    Heartbeat,
    Notice,
    RequestKind,
    User,
)
from approvals.policy import Wanting
from approvals.states import OnTimeout, RequestState
from tests.factories import make_kind, make_request, make_source, make_user, new_request

receive_module = import_module("approvals.lifecycle.receive")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> User:
    make_kind()
    return make_user("anna", groups=["order-desk"])


@pytest.fixture
def source() -> CallbackSource:
    return make_source("shop")


def test_a_request_arrives_with_its_heartbeat_its_notices_and_its_history(anna: User) -> None:
    request = make_request(anna, heartbeat_timeout_seconds=30, timeout_seconds=600)

    assert request.heartbeat.interval == timedelta(seconds=10)
    assert request.heartbeat.next_beat_at == request.received_at
    assert [notice.user for notice in request.notices.all()] == [anna]
    assert [event.tag for event in request.history.all()] == ["request.received"]


def test_the_callback_id_is_not_in_the_database_in_clear(anna: User) -> None:
    request = make_request(anna, callback_id="QWxsIHRoZSBzZWNyZXRz")

    assert request.callback_id == "QWxsIHRoZSBzZWNyZXRz"
    row = ApprovalRequest.objects.filter(pk=request.pk).values().get()
    assert "QWxsIHRoZSBzZWNyZXRz" not in repr(row)


def test_the_same_content_again_is_the_same_request(anna: User, source: CallbackSource) -> None:
    new = new_request(users=["anna"])

    first = lifecycle.receive(source, new, sent_at=None)
    again = lifecycle.receive(source, new, sent_at=None)

    assert (first.created, again.created) == (True, False)
    assert again.request == first.request
    assert AuditEvent.objects.count() == 1


def test_the_same_callback_with_other_content_is_refused(
    anna: User, source: CallbackSource
) -> None:
    lifecycle.receive(source, new_request(users=["anna"], callback_id="QQ=="), sent_at=None)

    with pytest.raises(DifferentContent):
        lifecycle.receive(
            source, new_request(users=["anna"], callback_id="QQ==", title="Else"), sent_at=None
        )
    assert ApprovalRequest.objects.get().title == "Release order NO-1"


def test_another_source_cannot_put_a_known_callback_before_its_own_people(
    anna: User, source: CallbackSource
) -> None:
    new = new_request(users=["anna"])
    lifecycle.receive(source, new, sent_at=None)

    with pytest.raises(DifferentContent):
        lifecycle.receive(make_source("thief"), new, sent_at=None)


def test_of_many_that_arrive_at_once_one_is_written(anna: User, source: CallbackSource) -> None:
    new = new_request(users=["anna"])

    def post(_: int) -> bool:
        try:
            return lifecycle.receive(source, new, sent_at=None).created
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(post, range(24)))

    assert sorted(created) == [False] * 23 + [True]
    assert ApprovalRequest.objects.count() == AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"kind": "nonsense"}, "kind"),
        ({"users": ["nobody"]}, "assignees.users"),
        ({"groups": ["nothing"]}, "assignees.groups"),
        ({"groups": ["reviewer"]}, "assignees.groups"),
        ({"users": []}, "assignees"),
        ({"users": ["anna"], "required_approvals": 2}, "assignees"),
        ({"users": ["anna"], "wanting": Wanting(requested_by="ANNA ")}, "assignees"),
        ({"users": ["anna"], "wanting": Wanting(agent="anna@EXAMPLE.com")}, "assignees"),
        ({"users": ["olga"]}, "assignees"),
        ({"users": ["gone"]}, "assignees"),
    ],
)
def test_what_nobody_could_decide_is_refused_and_leaves_no_row(
    anna: User, source: CallbackSource, fields: dict[str, Any], complaint: str
) -> None:
    make_user("olga", role="operator")
    gone = make_user("gone")
    gone.is_active = False
    gone.save(update_fields=["is_active"])

    with pytest.raises(InvalidFields) as refused:
        lifecycle.receive(source, new_request(**{"users": ["anna"], **fields}), sent_at=None)

    assert list(refused.value.fields) == [complaint]
    assert not ApprovalRequest.objects.exists()
    assert not Heartbeat.objects.exists()
    assert not Notice.objects.exists()


def test_assignees_fall_back_to_the_kind_and_then_to_the_source(
    anna: User, source: CallbackSource
) -> None:
    source.default_users.add(anna)
    bert = make_user("bert")

    by_source = lifecycle.receive(source, new_request(), sent_at=None).request
    make_kind().default_users.add(bert)
    by_kind = lifecycle.receive(source, new_request(), sent_at=None).request

    assert [row.user for row in by_source.assignments.all()] == [anna]
    assert [row.user for row in by_kind.assignments.all()] == [bert]


@pytest.mark.parametrize(
    ("timeout", "margin"), [(1, 0.5), (4, 2), (10, 2), (100, 10), (600, 60), (86_400, 60)]
)
def test_our_deadline_lies_before_that_of_aws(anna: User, timeout: int, margin: float) -> None:
    request = make_request(anna, timeout_seconds=timeout)

    assert request.callback_expires_at is not None
    assert request.answer_by == request.callback_expires_at - timedelta(seconds=margin)


def test_clocks_count_from_the_signed_timestamp_but_never_from_the_future(anna: User) -> None:
    now = database_now()
    earlier = make_request(anna, timeout_seconds=600, sent_at=now - timedelta(seconds=100))
    later = make_request(anna, timeout_seconds=600, sent_at=now + timedelta(seconds=100))

    assert earlier.callback_expires_at == now + timedelta(seconds=500)
    assert later.callback_expires_at is not None
    assert later.callback_expires_at <= database_now() + timedelta(seconds=600)


def test_a_request_without_a_timeout_waits_and_says_so(anna: User, source: CallbackSource) -> None:
    received = lifecycle.receive(source, new_request(users=["anna"]), sent_at=None)

    assert received.request.answer_by is None
    assert "No timeout_seconds" in received.warnings[0]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "No timeout_seconds"),
        ({"timeout_seconds": 60, "heartbeat_timeout_seconds": 61}, "never acts"),
        ({"timeout_seconds": 60, "heartbeat_timeout_seconds": 5}, "late beat"),
        ({"timeout_seconds": 60, "escalate_in_seconds": 9}, "escalate_in_seconds"),
        ({"timeout_seconds": 60, "editable": ["/total"]}, ""),
        ({"timeout_seconds": 60, "editable": ["/total"], "approve_with": "yes"}, "word for word"),
        ({"timeout_seconds": 60, "editable": ["/on"], "payload": {"on": None}}, "null"),
        ({"timeout_seconds": 60, "heartbeat_timeout_seconds": 30}, ""),
    ],
)
def test_what_may_surprise_a_sender_is_warned_about(fields: dict[str, Any], word: str) -> None:
    warnings = new_request(**fields).warnings(RequestKind())

    assert len(warnings) == bool(word)
    assert word in " ".join(warnings)


def test_a_requester_nobody_knows_is_warned_about(anna: User, source: CallbackSource) -> None:
    known = new_request(users=["anna"], wanting=Wanting(requested_by=make_user("bert").email))
    unknown = new_request(users=["anna"], wanting=Wanting(requested_by="shop-bot"))

    assert "four eyes" not in str(lifecycle.receive(source, known, sent_at=None).warnings)
    assert "four eyes" in str(lifecycle.receive(source, unknown, sent_at=None).warnings)


def test_a_message_that_arrives_after_its_deadline_is_refused(anna: User) -> None:
    late = database_now() - timedelta(seconds=290)

    with pytest.raises(InvalidFields) as refused:
        make_request(anna, timeout_seconds=240, sent_at=late, on_timeout=OnTimeout.APPROVE)

    assert list(refused.value.fields) == ["timeout_seconds"]
    assert not ApprovalRequest.objects.exists()


def test_an_execution_known_from_before_is_looked_at_again(
    anna: User, source: CallbackSource
) -> None:
    arn = "0b9e1cf2-1111-4222-8333-444455556666/0b9e1cf2-1111-4222-8333-444455556667"
    make_request(anna, source=source, execution_arn=arn)
    Execution.objects.update(next_look_at=None)

    make_request(anna, source=source, execution_arn=arn)

    assert Execution.objects.get().next_look_at is not None


def test_of_many_on_one_subject_at_once_one_stays(anna: User, source: CallbackSource) -> None:
    news = [new_request(users=["anna"], subject="order/1") for _ in range(8)]

    def post(new: NewRequest) -> None:
        try:
            lifecycle.receive(source, new, sent_at=None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, news))

    assert ApprovalRequest.objects.pending().count() == 1


def test_a_newer_request_on_the_subject_takes_the_place_of_the_older(
    anna: User, source: CallbackSource
) -> None:
    older = make_request(anna, source=source, subject="order/1")
    other = make_request(anna, source=source, subject="order/2")
    foreign = make_request(anna, source=make_source("other"), subject="order/1")
    newer = make_request(anna, source=source, subject="order/1")

    for request in (older, other, foreign, newer):
        request.refresh_from_db()
    assert older.state == RequestState.WITHDRAWN
    assert b"ApprovalSuperseded" in older.delivery.body
    assert other.is_pending
    assert foreign.is_pending
    assert newer.is_pending


def test_all_that_is_asked_for_is_read_back_as_it_was_written(
    anna: User, source: CallbackSource
) -> None:
    received = lifecycle.receive(
        source,
        new_request(
            users=["anna"],
            title="Ærlig \\ \"quoted\" 🧾 'n' {curly}",
            summary="a\nb\tc",
            payload={"total": 12.5, "big": 10**30, "none": None, "nested": [{"ø": [True]}]},
            risk={"score": 7, "reasons": [{"text": "New", "points": -3}]},
            links=[{"label": "Order", "url": "https://shop.example/1"}],
            wanting=Wanting(requested_by="shop-bot"),
            timeout_seconds=600,
            due_in_seconds=60,
            heartbeat_timeout_seconds=100,
            approve_with="yes",
            subject="order/1",
        ),
        sent_at=database_now() - timedelta(seconds=3),
    ).request

    stored = ApprovalRequest.objects.get(pk=received.pk)
    for field in ApprovalRequest._meta.concrete_fields:
        if field.name != "payload":  # the database reads it out of its text
            assert getattr(stored, field.attname) == getattr(received, field.attname), field.name
    assert stored.payload == json.loads(stored.payload_text)
    assert stored.payload["big"] == 10**30
    assert stored.heartbeat.interval == timedelta(seconds=100) / 3
    assert AuditEvent.objects.broken_at(stored) is None


def test_an_ordinary_request_takes_two_statements(
    anna: User, source: CallbackSource, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        lifecycle.receive(source, new_request(users=["anna"], timeout_seconds=600), sent_at=None)


def test_nothing_is_received_inside_a_transaction_of_somebody_else(
    anna: User, source: CallbackSource
) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        lifecycle.receive(source, new_request(users=["anna"]), sent_at=None)

    assert not ApprovalRequest.objects.exists()


def _at_once(source: CallbackSource, news: list[NewRequest]) -> list[object]:
    """What came of NEWS, each sent by a thread of its own."""

    def post(new: NewRequest) -> object:
        try:
            return lifecycle.receive(source, new, sent_at=None).created
        except DifferentContent as refusal:
            return type(refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(news)) as pool:
        return list(pool.map(post, news))


def _arn(number: int) -> str:
    return f"0b9e1cf2-1111-4222-8333-44445555666{number}/0b9e1cf2-1111-4222-8333-444455556667"


def test_callbacks_of_one_new_execution_at_once_are_all_written(
    anna: User, source: CallbackSource
) -> None:
    news = [new_request(users=["anna"], execution_arn=_arn(1)) for _ in range(8)]

    assert _at_once(source, news) == [True] * 8

    execution = Execution.objects.get()
    assert execution.requests.count() == 8
    assert execution.next_look_at is not None


def test_of_two_contents_at_once_one_is_written_and_nothing_of_the_other(
    anna: User, source: CallbackSource
) -> None:
    news = [
        new_request(users=["anna"], callback_id="QQ==", title=f"No {n}", execution_arn=_arn(n))
        for n in range(6)
    ]

    outcome = _at_once(source, news)

    assert sorted(map(str, outcome)) == sorted([*[str(DifferentContent)] * 5, "True"])
    request = ApprovalRequest.objects.get()
    assert Execution.objects.get() == request.execution
    assert request.history.count() == request.notices.count() == request.assignments.count() == 1


def test_who_is_removed_while_a_request_is_being_written_is_not_asked(
    anna: User, source: CallbackSource
) -> None:
    gone = make_user("gone")
    looked_up = receive_module.look_up

    def look_up_late(*args: Any) -> Any:
        found = looked_up(*args)
        if User.objects.filter(pk=gone.pk).exists():
            gone.groups.clear()
            User.objects.filter(pk=gone.pk).delete()
        return found

    with (
        mock.patch.object(receive_module, "look_up", side_effect=look_up_late),
        pytest.raises(InvalidFields) as refused,
    ):
        lifecycle.receive(source, new_request(users=["anna", "gone"]), sent_at=None)

    assert list(refused.value.fields) == ["assignees.users"]
    assert not ApprovalRequest.objects.exists()


def test_what_a_newer_request_would_replace_stays_if_it_is_not_written(
    anna: User, source: CallbackSource
) -> None:
    older = make_request(anna, source=source, subject="order/1")

    with (
        mock.patch.object(receive_module, "write_received", return_value=False),
        pytest.raises(receive_module.Overtaken),
    ):
        make_request(anna, source=source, subject="order/1")

    older.refresh_from_db()
    assert older.is_pending
    assert older.history.count() == 1


@pytest.mark.parametrize("rule", ["approve", "lapse"])
def test_a_kinds_own_clock_never_approves_and_never_lapses(rule: str) -> None:
    make_kind("refund", on_timeout=rule, timeout_seconds=60)
    request = make_request(make_user(), kind="refund")
    assert (request.on_timeout, request.callback_expires_at) == (OnTimeout.FAIL, None)
    assert request.answer_by is not None
    asked_for = make_request(make_user(), kind="refund", timeout_seconds=600)
    assert asked_for.on_timeout == rule
