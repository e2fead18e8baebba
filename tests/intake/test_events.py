"""EventBridge at the door: what it tells is noted once, and nobody else can tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    CallbackSource,
    Execution,
    Heartbeat,
    SourceKey,
    User,
)
from approvals.states import Channel, DeliveryState, ExecutionStatus, RequestState, Verdict
from tests import factories
from tests.intake.sender import Sender, add_key, add_secret, problem_of

pytestmark = pytest.mark.django_db

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:my-function"
EXECUTION = (
    f"{FUNCTION}:$LATEST/durable-execution/090c4189-b18b-4296-9d0c-cfd01dc3a122"
    "/9f7d84c9-ea3d-3ffc-b3e5-5ec51c34ffc9"
)
SECOND = timedelta(seconds=1)


@dataclass
class Bus:
    """EventBridge, with the key for events of one source."""

    source: CallbackSource
    key: str
    client: Any

    @property
    def address(self) -> str:
        return f"/api/v1/sources/{self.source.slug}/events"

    def post(self, body: bytes, *, to: str = "", **headers: str) -> Any:
        headers = {"authorization": f"Bearer {self.key}"} | headers
        return self.client.post(
            to or self.address,
            body,
            content_type="application/json; charset=utf-8",
            headers={name: value for name, value in headers.items() if value},
        )

    def tell(self, status: str = "STOPPED", *, at: datetime | None = None, **detail: Any) -> Any:
        return self.post(json.dumps(event(status, at=at, **detail)).encode())


def event(status: str = "STOPPED", *, at: datetime | None = None, **detail: Any) -> dict[str, Any]:
    """As AWS's own documentation shows it; DETAIL replaces or adds."""
    at = at or database_now()
    ended = {} if status == "RUNNING" else {"endTimestamp": moment(at)}
    return {
        "version": "0",
        "id": "d019b03c-a8a3-9d58-85de-241e96206538",
        "detail-type": "Durable Execution Status Change",
        "source": "aws.lambda",
        "account": "123456789012",
        "time": moment(at),
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "durableExecutionArn": EXECUTION,
            "durableExecutionName": "order-123",
            "functionArn": f"{FUNCTION}:2",
            "status": status,
            "startTimestamp": "2025-11-20T13:08:22.345Z",
            **ended,
            **detail,
        },
    }


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key_for_events(source: CallbackSource) -> str:
    return add_key(source, SourceKey.Purpose.EVENTS)


@pytest.fixture
def bus() -> Bus:
    source = factories.make_source("shop", function_arns=[FUNCTION], allow_local_runner=False)
    return Bus(source, key_for_events(source), Client())


@pytest.fixture
def waiting(bus: Bus, anna: User) -> ApprovalRequest:
    return factories.make_request(
        anna, source=bus.source, execution_arn=EXECUTION, heartbeat_timeout_seconds=30
    )


def execution() -> Execution:
    return Execution.objects.get()


def lines_of(request: ApprovalRequest) -> list[str]:
    assert AuditEvent.objects.broken_at(request) is None
    return list(AuditEvent.objects.filter(request=request).values_list("tag", flat=True))


class TestWhatIsTold:
    def test_a_start_is_noted(self, bus: Bus, waiting: ApprovalRequest) -> None:
        response = bus.tell("RUNNING")

        assert (response.status_code, response.content) == (202, b"")
        seen = execution()
        assert seen.status == ExecutionStatus.RUNNING
        assert seen.started_at == datetime(2025, 11, 20, 13, 8, 22, 345_000, tzinfo=UTC)
        assert (seen.ended_at, seen.seen_at is None) == (None, False)
        waiting.refresh_from_db()
        assert waiting.is_pending

    @pytest.mark.parametrize("status", ["STOPPED", "TIMED_OUT"])
    def test_an_end_withdraws_what_waits_and_stops_its_heartbeat(
        self, bus: Bus, waiting: ApprovalRequest, status: str
    ) -> None:
        assert Heartbeat.objects.exists()
        at = database_now() - SECOND

        assert bus.tell(status, at=at).status_code == 202

        waiting.refresh_from_db()
        assert (waiting.state, waiting.withdrawal) == (RequestState.WITHDRAWN, "execution_ended")
        assert execution().status == status
        assert moment(execution().ended_at or at + SECOND) == moment(at)
        assert not Heartbeat.objects.exists()
        assert not CallbackDelivery.objects.exists()
        assert lines_of(waiting)[-2:] == ["request.withdrawn", "execution.seen"]

    @pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
    def test_after_an_end_of_its_own_the_history_is_asked_who_answered(
        self, bus: Bus, waiting: ApprovalRequest, status: str
    ) -> None:
        assert bus.tell(status).status_code == 202

        waiting.refresh_from_db()
        assert waiting.callback_check.next_attempt_at is not None
        assert waiting.is_pending
        assert execution().next_look_at is not None  # and withdrawn all the same, if nobody tells
        assert not Heartbeat.objects.exists()

    def test_an_answer_on_its_way_goes_on(
        self, bus: Bus, waiting: ApprovalRequest, anna: User
    ) -> None:
        lifecycle.decide(
            waiting.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER
        )

        assert bus.tell("STOPPED").status_code == 202

        waiting.refresh_from_db()
        assert waiting.state == RequestState.APPROVED
        assert waiting.delivery.state == DeliveryState.PENDING

    def test_a_word_of_tomorrow_is_taken_and_counts_as_open(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        assert bus.tell("HIBERNATING_DEEPLY_IN_THE_CLOUD").status_code == 202

        waiting.refresh_from_db()
        assert waiting.is_pending
        assert not execution().has_ended

    def test_fields_of_tomorrow_are_passed_over(self, bus: Bus, waiting: ApprovalRequest) -> None:
        told = event("STOPPED", retryPolicy={"attempts": 3}) | {"trace-header": "Root=1"}

        assert bus.post(json.dumps(told).encode()).status_code == 202
        assert execution().has_ended

    def test_the_local_runner_s_names_are_taken_where_they_are_allowed(self, anna: User) -> None:
        source = factories.make_source("local")
        arn = "0b0d7a2e-5f0e-4c39-a1a5-1c9f5f8a3d11/5f1b9c1e-5f0e-4c39-a1a5-1c9f5f8a3d12"
        waiting = factories.make_request(anna, source=source, execution_arn=arn)

        local = Bus(source, key_for_events(source), Client())
        assert local.tell("STOPPED", durableExecutionArn=arn).status_code == 202

        waiting.refresh_from_db()
        assert waiting.state == RequestState.WITHDRAWN


class TestOrder:
    def test_the_same_event_twice_changes_nothing(self, bus: Bus, waiting: ApprovalRequest) -> None:
        body = json.dumps(event("STOPPED")).encode()
        bus.post(body)
        once = (Execution.objects.values().get(), lines_of(waiting))

        for _ in range(3):
            assert bus.post(body).status_code == 202

        assert (Execution.objects.values().get(), lines_of(waiting)) == once

    def test_a_start_told_after_the_end_changes_nothing(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        at = database_now()
        bus.tell("STOPPED", at=at)

        assert bus.tell("RUNNING", at=at - 60 * SECOND).status_code == 202
        assert bus.tell("RUNNING", at=at + 60 * SECOND).status_code == 202
        assert bus.tell("SUCCEEDED", at=at + 60 * SECOND).status_code == 202

        assert execution().status == ExecutionStatus.STOPPED

    def test_older_news_does_not_take_the_place_of_newer(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        at = database_now() - 10 * SECOND
        bus.tell("PAUSED", at=at)

        assert bus.tell("RUNNING", at=at - SECOND).status_code == 202

        assert execution().status == "PAUSED"

    def test_an_end_told_late_is_an_end(self, bus: Bus, waiting: ApprovalRequest) -> None:
        at = database_now()
        bus.tell("RUNNING", at=at)

        bus.tell("STOPPED", at=at - 60 * SECOND)

        waiting.refresh_from_db()
        assert waiting.state == RequestState.WITHDRAWN


class TestWhoIsNotKnown:
    def test_an_execution_nobody_waits_for_is_taken_and_leaves_no_trace(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        other = EXECUTION.replace("090c4189", "190c4189")

        assert bus.tell("STOPPED", durableExecutionArn=other).status_code == 202

        assert execution().arn == EXECUTION
        assert AuditEvent.objects.exclude(request=waiting).count() == 0

    def test_it_costs_two_questions_and_writes_nothing(self, bus: Bus) -> None:
        body = json.dumps(event("STOPPED")).encode()
        with CaptureQueriesContext(connection) as asked:
            assert bus.post(body).status_code == 202

        assert len(asked) == 2  # the source with its keys, and the execution
        assert not Execution.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_the_same_execution_of_another_source_is_left_alone(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        other = factories.make_source("other", function_arns=[FUNCTION])

        assert Bus(other, key_for_events(other), Client()).tell("STOPPED").status_code == 202

        assert not execution().has_ended


class TestForged:
    """Whoever tells must hold the key for events, and may speak for the function."""

    @pytest.mark.parametrize(
        "arn",
        [
            EXECUTION.replace("my-function", "your-function"),
            EXECUTION.replace("123456789012", "210987654321"),
            EXECUTION.replace("us-east-1", "us-east-2"),
            "0b0d7a2e-5f0e-4c39-a1a5-1c9f5f8a3d11/5f1b9c1e-5f0e-4c39-a1a5-1c9f5f8a3d12",
        ],
    )
    def test_a_function_of_others_is_403_whatever_stands_beside_it(
        self, bus: Bus, arn: str
    ) -> None:
        # `functionArn` and `account` still name the function the source speaks for.
        problem_of(bus.tell("STOPPED", durableExecutionArn=arn), 403)

    def test_a_wrong_key_and_an_unknown_source_are_told_the_same(self, bus: Bus) -> None:
        body = json.dumps(event()).encode()
        wrong = bus.post(body, authorization="Bearer csk_" + "x" * 43)
        nobody = bus.post(body, to="/api/v1/sources/nobody/events")

        assert problem_of(wrong, 401) == problem_of(nobody, 401)
        assert wrong["WWW-Authenticate"] == "Bearer"

    def test_a_wrong_key_and_an_unknown_source_ask_the_same(self, bus: Bus) -> None:
        """One statement, then as many comparisons: so the time tells nothing either."""
        asked = []
        for slug in ("shop", "nobody", "%00"):
            with CaptureQueriesContext(connection) as queries:
                problem_of(
                    bus.post(
                        b"{}",
                        to=f"/api/v1/sources/{slug}/events",
                        authorization="Bearer csk_" + "x" * 43,
                    ),
                    401,
                )
            asked.append(len(queries))

        assert asked == [1, 1, 1]

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer short", "Basic YTpi", "Token x" * 9])
    def test_no_key_is_401(self, bus: Bus, header: str) -> None:
        problem_of(bus.post(json.dumps(event()).encode(), authorization=header), 401)

    def test_the_key_for_requests_tells_nothing(self, bus: Bus, waiting: ApprovalRequest) -> None:
        bus.key = add_key(bus.source)

        problem_of(bus.tell("STOPPED"), 401)

        assert not execution().has_ended

    @pytest.mark.parametrize("with_key", [True, False])
    def test_a_signature_tells_nothing(
        self, bus: Bus, waiting: ApprovalRequest, with_key: bool
    ) -> None:
        body = json.dumps(event("STOPPED")).encode()
        signed = Sender(bus.source, add_secret(bus.source), "").signed(body)

        problem_of(bus.post(body, **signed, **({} if with_key else {"authorization": ""})), 401)

        assert not execution().has_ended

    def test_the_key_for_events_opens_and_follows_no_request(
        self, bus: Bus, waiting: ApprovalRequest
    ) -> None:
        requests = f"/api/v1/sources/{bus.source.slug}/requests"
        held = {"authorization": f"Bearer {bus.key}"}

        problem_of(bus.post(b"{}", to=requests), 401)
        problem_of(bus.post(b"{}", to=f"{requests}/{waiting.public_id}/withdraw"), 401)
        problem_of(bus.client.get(f"{requests}/{waiting.public_id}", headers=held), 401)

    @pytest.mark.parametrize("how", ["ended key", "disabled source", "another source's key"])
    def test_a_key_that_does_not_count_is_401(self, bus: Bus, how: str) -> None:
        if how == "ended key":
            SourceKey.objects.update(expires_at=database_now() - SECOND)
        elif how == "disabled source":
            CallbackSource.objects.update(active=False)
        else:
            bus.key = key_for_events(factories.make_source("other", function_arns=[FUNCTION]))

        problem_of(bus.tell("STOPPED"), 401)

    def test_nothing_in_the_body_is_looked_at_before_its_sender_is_known(self, bus: Bus) -> None:
        problem_of(bus.post(b"\xff not JSON", authorization="Bearer csk_" + "x" * 43), 401)


class TestMalformed:
    @pytest.fixture(autouse=True)
    def _nothing_is_written(self, waiting: ApprovalRequest) -> Any:
        before = Execution.objects.values().get()
        yield
        assert Execution.objects.values().get() == before

    @pytest.mark.parametrize(
        "body",
        [b"", b"not JSON", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'"\\u0000"', b"\xff", b"[" * 9_999],
    )
    def test_what_cannot_be_read_is_400(self, bus: Bus, body: bytes) -> None:
        problem_of(bus.post(body), 400)

    @pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"'])
    def test_what_is_no_object_is_422(self, bus: Bus, body: bytes) -> None:
        problem_of(bus.post(body), 422)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("detail-type", "Lambda Function Invocation Result - Success"),
            ("detail-type", None),
            ("source", "aws.states"),
            ("source", "com.example.forged"),
            ("time", "yesterday"),
            ("time", "2025-11-20T13:08:22"),
            ("time", "0001-01-01T00:00:00+14:00"),
            ("time", "9999-12-31T23:59:59-14:00"),
            ("time", "2025-02-30T13:08:22Z"),
            ("time", 1_763_644_102),
            ("detail", None),
            ("detail", []),
        ],
    )
    def test_a_wrong_envelope_is_422_and_names_the_field(
        self, bus: Bus, name: str, value: Any
    ) -> None:
        told = event("STOPPED")
        told[name] = value

        errors = problem_of(bus.post(json.dumps(told).encode()), 422)["errors"]

        assert errors[0]["field"] == name

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("durableExecutionArn", ""),
            ("durableExecutionArn", FUNCTION),
            ("durableExecutionArn", EXECUTION + "\n"),
            ("durableExecutionArn", EXECUTION + "x" * 1_024),
            ("durableExecutionArn", [EXECUTION]),
            ("status", ""),
            ("status", "stopped"),
            ("status", "STOPPED\n"),
            ("status", "S" * 65),
            ("status", 7),
            ("startTimestamp", "soon"),
            ("endTimestamp", {"at": "2025-11-20T13:08:22Z"}),
        ],
    )
    def test_a_wrong_detail_is_422_and_names_the_field(
        self, bus: Bus, name: str, value: Any
    ) -> None:
        errors = problem_of(bus.tell(**{"status": "STOPPED", name: value}), 422)["errors"]

        assert errors[0]["field"] == f"detail.{name}"

    @pytest.mark.parametrize("missing", ["durableExecutionArn", "status"])
    def test_what_is_missing_is_named(self, bus: Bus, missing: str) -> None:
        told = event("STOPPED")
        del told["detail"][missing]

        errors = problem_of(bus.post(json.dumps(told).encode()), 422)["errors"]

        assert errors == [{"field": f"detail.{missing}", "message": "Add this field."}]

    def test_another_type_or_an_encoding_is_415(self, bus: Bus) -> None:
        held = {"authorization": f"Bearer {bus.key}"}
        plain = bus.client.post(bus.address, b"{}", content_type="text/plain", headers=held)

        problem_of(plain, 415)
        problem_of(bus.post(b"{}", **{"content-encoding": "gzip"}), 415)

    def test_too_large_a_body_is_413(self, bus: Bus) -> None:
        problem_of(bus.post(b" " * (256 * 1024 + 1)), 413)

    def test_without_a_length_it_is_411(self, bus: Bus) -> None:
        problem_of(bus.post(b"{}", **{"transfer-encoding": "chunked"}), 411)

    def test_only_a_post_is_taken(self, bus: Bus) -> None:
        held = {"authorization": f"Bearer {bus.key}"}
        problem_of(bus.client.get(bus.address, headers=held), 405)
