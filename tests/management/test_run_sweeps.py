"""The database is the queue: everything due is done with nothing else there.

Real PostgreSQL, processes of their own, a stand-in of Lambda, and a broker nobody answers at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from approvals import doorbell, lifecycle, tasks
from approvals.management.sweeping import sweeps
from approvals.models import ApprovalRequest, CallbackDelivery, Heartbeat, SweepMark
from approvals.operations.health import readiness
from approvals.states import Channel, DeliveryState, RequestState, Verdict
from portal.supervisor import wait_until
from tests.deploy.recipes import ROOT
from tests.factories import make_request, make_user, past_its_deadline
from tests.fakes.gateway import ScriptedGateway
from tests.fakes.lambda_api import LambdaApi

pytestmark = pytest.mark.django_db(transaction=True)

SOON = timedelta(seconds=90)  # on a busy machine; a few otherwise
#: Nobody listens there, and nobody may.
NO_BROKER = "redis://127.0.0.1:1/0"


def approve(request: ApprovalRequest) -> None:
    person = request.assignments.get().user
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=person, channel=Channel.API)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> ScriptedGateway:
    gateway = ScriptedGateway()
    monkeypatch.setattr(tasks, "gateway", lambda: gateway)
    return gateway


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every attempt to reach the broker, by task name."""
    asked: list[str] = []
    monkeypatch.setattr(
        doorbell.current_app, "send_task", lambda name, **_: asked.append(name), raising=False
    )
    return asked


def test_whatever_beat_rings_for_comes_by() -> None:
    scheduled = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert [sweep.name for sweep in sweeps()] == scheduled


def test_a_rhythm_of_ones_own_counts_for_what_comes_by_often() -> None:
    assert {sweep.every for sweep in sweeps(0.5)} == {0.5, 3600.0}


def test_once_does_all_that_is_due_and_asks_nothing_of_the_broker(
    aws: ScriptedGateway, no_broker: list[str]
) -> None:
    owed, kept = make_request(make_user()), make_request(make_user(), heartbeat_timeout_seconds=30)
    approve(owed)
    late = past_its_deadline(make_request(make_user(), timeout_seconds=60))
    ApprovalRequest.objects.filter(pk=late.pk).update(clock_at=late.answer_by)
    no_broker.clear()

    call_command("run_sweeps", "--once")

    late.refresh_from_db()
    assert late.state == RequestState.EXPIRED
    assert set(CallbackDelivery.objects.values_list("state", flat=True)) == {
        DeliveryState.DELIVERED
    }
    assert Heartbeat.objects.get(pk=kept.pk).beats == 1
    assert sorted(verb for verb, _ in aws.calls) == ["beat", "fail", "succeed"]
    assert no_broker == []


def test_one_sweep_that_fails_is_named_and_holds_up_no_other(
    aws: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(make_request(make_user()))
    monkeypatch.setattr(tasks.heartbeats, "beat_due", lambda _: 1 / 0)

    with pytest.raises(CommandError, match=doorbell.SEND_HEARTBEATS):
        call_command("run_sweeps", "--once")

    assert CallbackDelivery.objects.get().state == DeliveryState.DELIVERED


def test_readiness_sees_the_sweeps_and_says_that_nobody_rings(aws: ScriptedGateway) -> None:
    """503 stays: a portal without beat works, and somebody should know of it."""
    call_command("run_sweeps", "--once")
    connection.close()
    fit = {part.name: part.ok for part in readiness()}
    assert fit == {"database": True, "worker": True, "broker": True, "beat": False}


class Sweeper:
    """`manage.py run_sweeps` in a process of its own, on the database of this test."""

    def __init__(self, lambda_api: LambdaApi, log: Path, *words: str) -> None:
        database = connection.settings_dict
        url = (
            f"postgresql://{database['USER']}:{database['PASSWORD']}@"
            f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
        )
        env = os.environ | {
            "DATABASE_URL": url,
            "REDIS_URL": NO_BROKER,
            "BASE_URL": "http://localhost",
            "AWS_ENDPOINT_URL_LAMBDA": lambda_api.url,
            "LOG_LEVEL": "WARNING",
        }
        argv = [sys.executable, "manage.py", "run_sweeps", *words]
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=out, stderr=out)

    def end(self, with_signal: signal.Signals) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(SOON.total_seconds())

    def has_begun(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return "sweeps come by" in self.log.read_text()


@pytest.fixture
def lambda_api() -> Iterator[LambdaApi]:
    with LambdaApi() as api:
        yield api


@pytest.fixture
def two_sweepers(lambda_api: LambdaApi, tmp_path: Path) -> Iterator[list[Sweeper]]:
    both = [Sweeper(lambda_api, tmp_path / f"{n}.log", "--every", "0.3") for n in range(2)]
    yield both
    for sweeper in both:
        sweeper.process.kill()
        sweeper.process.wait()


@pytest.mark.journey
def test_two_of_them_without_a_broker_do_everything_once_and_end_when_told(
    lambda_api: LambdaApi, two_sweepers: list[Sweeper]
) -> None:
    assert wait_until(lambda: all(each.has_begun() for each in two_sweepers), within=SOON)
    decided = [make_request(make_user()) for _ in range(12)]
    for request in decided:
        approve(request)
    kept = make_request(make_user(), heartbeat_timeout_seconds=6)
    late = make_request(make_user(), timeout_seconds=2)

    def done() -> bool:
        delivered = CallbackDelivery.objects.filter(state=DeliveryState.DELIVERED).count()
        return delivered == 13 and Heartbeat.objects.get(pk=kept.pk).beats >= 2

    assert wait_until(done, within=SOON)
    late.refresh_from_db()
    assert late.state == RequestState.EXPIRED
    answers = Counter(call.name for call in lambda_api.calls if call.verb != "heartbeat")
    assert set(answers.values()) == {1}
    assert SweepMark.objects.filter(name=doorbell.SEAL_HISTORY).exists()
    ends = [each.end(told) for each, told in zip(
        two_sweepers, (signal.SIGTERM, signal.SIGINT), strict=True)]  # fmt: skip
    assert ends == [0, 0]
    assert all("what was begun is written down" in each.log.read_text() for each in two_sweepers)
