"""What AWS tells of a run and its callback, on the page of its request and in its panel."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle.checks import unsettled
from approvals.models import (
    ApprovalRequest,
    CallbackCheck,
    CallbackDelivery,
    ExecutionHistory,
    User,
)
from approvals.states import CallbackFinding, Channel, DeliveryState, Verdict, Withdrawal
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(anna, execution_arn="name/id", timeout_seconds=900)


@pytest.fixture
def client(anna: User) -> Client:
    return signed_in(anna)


def step(name: str, status: str = "SUCCEEDED", **fields: Any) -> dict[str, Any]:
    began = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    given = {
        "id": name,
        "name": name,
        "type": "Step",
        "status": status,
        "started_at": began.isoformat(),
        "ended_at": (began + timedelta(seconds=90)).isoformat(),
        "attempts": 1,
    }
    return given | fields


def read(order: ApprovalRequest, *steps: dict[str, Any], **fields: Any) -> ExecutionHistory:
    assert order.execution is not None
    fields = {"read_at": database_now()} | fields
    row, _ = ExecutionHistory.objects.update_or_create(
        execution=order.execution, defaults={"steps": list(steps), **fields}
    )
    return row


def check(order: ApprovalRequest, finding: CallbackFinding, detail: str = "") -> None:
    CallbackCheck.objects.create(
        request=order, finding=finding, detail=detail, checked_at=database_now()
    )


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def page(client: Client, order: ApprovalRequest) -> str:
    return client.get(order.get_absolute_url()).content.decode()


def panel(client: Client, order: ApprovalRequest, **headers: str) -> Any:
    return client.get(f"/requests/{order.public_id}/panel/", headers=headers)


class TestSteps:
    def test_each_step_says_what_it_is_how_it_ended_and_how_long_it_took(
        self, client: Client, order: ApprovalRequest
    ) -> None:
        read(
            order,
            step("validate-order"),
            step("charge", "FAILED", attempts=3),
            step("", "SUCCEEDED", type="Wait"),
            step("ship", "RETRYING", ended_at=None, attempts=2),
            step("await-release", "STARTED", type="Callback", ended_at=None),
        )

        shown = words(page(client, order)).partition("What the run has done")[2].strip()

        assert shown.startswith("validate-order Step, 1 min")
        for told in (
            "charge Step, failed, 3 tries, 1 min",
            "Wait 1 min",
            "ship Step, is tried again, 2 tries",
            "await-release Callback, waits for an answer",
            "From the execution's own history, read",
        ):
            assert told in shown

    def test_a_word_of_tomorrow_is_shown_as_it_is(
        self, client: Client, order: ApprovalRequest
    ) -> None:
        read(order, step("x", "HALF_DONE", type="Loop", started_at=None, ended_at=None))

        assert "x Loop, half done" in words(page(client, order))

    def test_what_a_step_is_called_is_text(self, client: Client, order: ApprovalRequest) -> None:
        read(order, step("<script>alert(1)</script>"))

        assert "<script>alert(1)" not in page(client, order)

    def test_older_steps_are_a_press_away_and_unread_ones_are_named(
        self, client: Client, order: ApprovalRequest
    ) -> None:
        read(order, *(step(f"step-{number}") for number in range(14)), is_whole=False)

        text = page(client, order)

        assert "6 earlier steps; older steps are not shown" in text
        assert text.index("step-0") < text.index("step-13")

    def test_why_it_could_not_be_read_is_said(self, client: Client, order: ApprovalRequest) -> None:
        read(order, read_at=None, trouble="AccessDenied: AWS denies the portal this call.")

        assert "could not be read: AccessDenied" in words(page(client, order))

    @pytest.mark.parametrize("arn", ["", "name/id"])
    def test_where_nothing_was_read_nothing_is_shown(
        self, client: Client, anna: User, arn: str
    ) -> None:
        fields = {"execution_arn": arn} if arn else {}

        assert "What the run has done" not in page(client, make_request(anna, **fields))

    def test_new_steps_reach_an_open_page_and_an_unchanged_poll_reads_none(
        self,
        client: Client,
        order: ApprovalRequest,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        read(order, step("validate-order"))
        first = panel(client, order)["HX-PTag"]
        with django_assert_max_num_queries(2):
            assert panel(client, order, **{"HX-PTag": first}).status_code == 304

        read(order, step("validate-order"), step("ship"))
        again = panel(client, order, **{"HX-PTag": first})

        assert again.status_code == 200
        assert "ship" in again.content.decode()


class TestCallback:
    @pytest.mark.parametrize(
        ("finding", "told"),
        [
            (CallbackFinding.PENDING, "AWS is being asked about it"),
            (CallbackFinding.FOUND, "AWS knows it"),
            (CallbackFinding.UNREADABLE, "AWS did not let the portal look: No permission."),
        ],
    )
    def test_what_aws_said_stands_beside_the_run_and_warns_nobody(
        self, client: Client, order: ApprovalRequest, finding: CallbackFinding, told: str
    ) -> None:
        check(order, finding, "No permission.")

        text = page(client, order)

        assert f"Callback {told}" in words(text)
        assert "notice--warn" not in text

    @pytest.mark.parametrize(
        ("finding", "title"),
        [
            (CallbackFinding.MISSING, "AWS does not know this callback."),
            (CallbackFinding.CLOSED, "AWS no longer waits for this."),
        ],
    )
    def test_who_decides_is_warned_of_a_callback_nobody_waits_for(
        self, client: Client, order: ApprovalRequest, finding: CallbackFinding, title: str
    ) -> None:
        check(order, finding)

        assert title in words(panel(client, order).content.decode())

    def test_a_closed_request_warns_no_more(
        self, client: Client, order: ApprovalRequest, anna: User
    ) -> None:
        check(order, CallbackFinding.MISSING)
        approve(order, anna)

        assert "AWS does not know this callback." not in words(page(client, order))

    def test_what_aws_says_reaches_an_open_page(
        self, client: Client, order: ApprovalRequest
    ) -> None:
        now = database_now()
        CallbackCheck.objects.create(request=order, next_attempt_at=now)
        before = panel(client, order)["HX-PTag"]

        unsettled(order.pk, CallbackFinding.MISSING, "Not there.", now=now)
        after = panel(client, order, **{"HX-PTag": before})

        assert after.status_code == 200
        assert "AWS does not know this callback." in words(after.content.decode())
        assert "AWS does not know the callback" in words(page(client, order))  # its history

    def test_an_answer_from_elsewhere_is_shown_as_that(
        self, client: Client, order: ApprovalRequest
    ) -> None:
        how = "the callback succeeded at 12:01:03 UTC on 21 November 2026."
        reason = f"Answered outside the portal: {how}"
        lifecycle.withdraw(order.pk, why=Withdrawal.ELSEWHERE, reason=reason)

        shown = words(page(client, order))

        assert f"Answered outside the portal T{how[1:]}" in shown
        assert "AWS has taken the answer that was given there." in shown
        assert "Withdrawn answered outside the portal: the callback succeeded" in shown

    @pytest.mark.parametrize(
        ("detail", "told"),
        [
            ("CallbackTimeoutException: AWS no longer waits.", False),
            ("The history could not be read. AccessDenied: no.", True),
        ],
    )
    def test_an_unconfirmed_answer_is_explained(
        self, client: Client, order: ApprovalRequest, anna: User, detail: str, told: bool
    ) -> None:
        approve(order, anna)
        CallbackDelivery.objects.update(
            state=DeliveryState.UNCONFIRMED, detail=detail, settled_at=database_now()
        )

        shown = words(page(client, order))

        assert "Not known whether AWS took the answer" in shown
        assert "An earlier try of ours got no reply and may be what closed it" in shown
        assert (detail in shown) is told


def approve(order: ApprovalRequest, reviewer: User) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER)
