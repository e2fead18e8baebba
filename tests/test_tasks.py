"""What workers do, called as Celery calls it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest import mock

import pytest
from celery import current_app
from django.conf import settings
from django.core import mail
from django.db import connections

from approvals import doorbell, lifecycle, tasks
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Heartbeat, SweepMark
from approvals.states import Channel, DeliveryState, RequestState, Verdict
from tests.factories import make_request, make_user, past_its_deadline
from tests.fakes.gateway import ScriptedGateway

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {
    value
    for name, value in vars(doorbell).items()
    if name.isupper() and isinstance(value, str) and value.startswith("approvals.")
}


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    gateway = ScriptedGateway()
    monkeypatch.setattr(tasks, "gateway", lambda: gateway)
    monkeypatch.setattr(tasks.standby, "STAY", timedelta(0))
    return gateway


def run(name: str) -> None:
    current_app.tasks[name].run()


def approve(request: ApprovalRequest) -> None:
    reviewer = request.assignments.get().user
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER
    )


def test_every_bell_has_its_sweep_and_every_sweep_its_place_in_the_schedule():
    ours = {name for name in current_app.tasks if name.startswith("approvals.")}
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert ours == NAMES == scheduled


def test_deadlines_and_beats_wait_behind_no_other_work():
    queue = {name: current_app.amqp.router.route({}, name)["queue"].name for name in NAMES}
    for name in (doorbell.EXPIRE_REQUESTS, doorbell.SEND_HEARTBEATS):
        assert [other for other in NAMES if queue[other] == queue[name]] == [name]
    assert set(queue.values()) == set(settings.CELERY_TASK_QUEUES)  # a worker hears them all


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_sweep_of_nothing_says_that_it_came_by(name):
    before = database_now()
    run(name)
    mark = SweepMark.objects.get(name=name)
    assert mark.finished_at >= before
    assert mark.found == 0


def test_a_sweep_that_fails_leaves_no_sign_of_life():
    with (
        mock.patch.object(tasks.lifecycle, "strike_due", side_effect=RuntimeError),
        pytest.raises(RuntimeError),
    ):
        run(doorbell.EXPIRE_REQUESTS)
    assert not SweepMark.objects.exists()


def test_an_answer_owed_is_delivered_without_any_bell(aws):
    request = make_request(make_user())
    approve(request)
    run(doorbell.DELIVER_CALLBACKS)
    assert CallbackDelivery.objects.get().state == DeliveryState.DELIVERED
    assert aws.calls == [("succeed", request.callback_id)]


def test_a_worker_with_few_places_has_none_for_standing_by(aws, monkeypatch):
    stood = mock.Mock(return_value=Counter())
    monkeypatch.setattr(tasks.standby, "stand_by", stood)
    monkeypatch.setattr(tasks, "_places", 0)  # put back at the end
    for places in (1, 2):
        tasks._count_places(sender=mock.Mock(concurrency=places))
        run(doorbell.STAND_BY)
    assert stood.call_count == 0
    assert SweepMark.objects.get(name=doorbell.STAND_BY).found == 0  # and nobody is alarmed

    tasks._count_places(sender=mock.Mock(concurrency=tasks.ENOUGH_TO_STAND_BY))
    run(doorbell.STAND_BY)
    assert stood.call_count == 1


def test_a_heartbeat_due_is_sent(aws):
    request = make_request(make_user(), heartbeat_timeout_seconds=30)
    run(doorbell.SEND_HEARTBEATS)
    assert aws.calls == [("beat", request.callback_id)]
    assert Heartbeat.objects.get().beats == 1


def test_a_request_past_its_deadline_expires():
    request = past_its_deadline(make_request(make_user(), timeout_seconds=60))
    run(doorbell.EXPIRE_REQUESTS)
    request.refresh_from_db()
    assert request.state == RequestState.EXPIRED


def test_a_mail_owed_is_sent():
    make_request(make_user("anna"))
    run(doorbell.SEND_NOTICES)
    assert [message.to for message in mail.outbox] == [["anna@example.com"]]


def test_an_execution_is_looked_at(aws):
    make_request(make_user(), execution_arn="run/1")
    run(doorbell.LOOK_AT_EXECUTIONS)
    assert ("look", "run/1") in aws.calls


def test_sweeps_that_meet_deliver_each_answer_once(aws):
    requests = [make_request(make_user()) for _ in range(6)]
    for request in requests:
        approve(request)

    def sweep(_: int) -> None:
        try:
            run(doorbell.DELIVER_CALLBACKS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))
    assert sorted(aws.calls) == sorted(("succeed", r.callback_id) for r in requests)


def test_no_sweep_takes_arguments_so_a_message_can_carry_nothing():
    for name in NAMES:
        assert current_app.tasks[name].run.__code__.co_argcount == 0
