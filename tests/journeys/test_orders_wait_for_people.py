"""The main job on real parts: AWS's local runner, the portal, its worker and beat.

A durable function pauses, somebody decides, the function goes on with the decision;
and whatever dies in between costs time, never an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from datetime import datetime, timedelta

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.journeys.conftest import Demo, eventually

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("demo")]

#: A dead worker's attempt is tried again when its lease (60 s) is over.
LEASE_AND_SWEEP = 75


def test_an_approved_order_ships_and_says_who_approved_it(demo: Demo) -> None:
    arn, request_id = demo.order()

    demo.decide(request_id, "approved", "Checked by phone.")

    execution = demo.ended(arn)
    assert execution["Status"] == "SUCCEEDED"
    result = execution["Result"]
    assert '"dana"' in result
    assert "Checked by phone." in result
    assert demo.delivered(request_id, within=10)["state"] == "approved"
    resumed = eventually(
        lambda: (demo.request(request_id)["execution"] or {}).get("status") == "SUCCEEDED",
        within=20,
        what="the portal saw the execution succeed",
    )
    assert resumed


def test_a_rejected_order_takes_the_other_branch_with_the_reason(demo: Demo) -> None:
    arn, request_id = demo.order("high-risk")

    demo.decide(request_id, "rejected", "The address is new.")

    result = json.loads(demo.ended(arn)["Result"])
    assert "The address is new." in json.dumps(result)
    assert result["status"] == "cancelled"
    assert demo.delivered(request_id, within=10)["state"] == "rejected"


def test_a_held_decision_is_sent_once_it_can_no_longer_be_taken_back(demo: Demo) -> None:
    arn, request_id = demo.order()

    held = demo.decide(request_id, "approved", "Checked by phone.", hold=True)

    assert (held["state"], held["delivery"]) == ("pending", None)
    assert (held["held"]["verdict"], held["held"]["by"]) == ("approved", "dana")
    until = datetime.fromisoformat(held["held"]["until"])
    assert until - datetime.fromisoformat(held["decisions"][0]["at"]) == timedelta(seconds=10)
    delivered = demo.delivered(request_id, within=30)
    late = datetime.fromisoformat(delivered["delivery"]["delivered_at"]) - until
    assert timedelta(0) <= late < timedelta(seconds=5)  # about one, on a machine that is idle
    assert (delivered["state"], delivered["held"]) == ("approved", None)
    assert "Checked by phone." in demo.ended(arn)["Result"]


def test_what_is_taken_back_never_reaches_the_function(demo: Demo) -> None:
    arn, request_id = demo.order()
    demo.decide(request_id, "approved", hold=True)

    back = demo.api("dana", f"/api/v1/requests/{request_id}/undo", {})

    assert (back["state"], back["held"], back["decisions"]) == ("pending", None, [])
    demo.decide(request_id, "rejected", "On second thoughts.")
    assert json.loads(demo.ended(arn)["Result"])["status"] == "cancelled"


def test_a_worker_killed_while_a_decision_is_held_loses_nothing(demo: Demo) -> None:
    arn, request_id = demo.order()
    demo.decide(request_id, "approved", hold=True)

    os.killpg(os.getpgid(demo.pid("worker")), signal.SIGKILL)

    assert demo.delivered(request_id, within=60)["state"] == "approved"
    assert demo.ended(arn)["Status"] == "SUCCEEDED"


def test_a_worker_killed_before_the_delivery_loses_nothing(demo: Demo) -> None:
    arn, request_id = demo.order()
    os.killpg(os.getpgid(demo.pid("worker")), signal.SIGKILL)

    demo.decide(request_id, "approved")

    demo.delivered(request_id, within=LEASE_AND_SWEEP)
    assert demo.ended(arn)["Status"] == "SUCCEEDED"


def test_without_beat_the_bell_still_brings_the_answer(demo: Demo) -> None:
    arn, request_id = demo.order()
    beat = demo.pid("beat")
    os.kill(beat, signal.SIGSTOP)
    try:
        demo.decide(request_id, "approved")
        demo.delivered(request_id, within=30)
    finally:
        os.kill(beat, signal.SIGCONT)
    assert demo.ended(arn)["Status"] == "SUCCEEDED"


def test_a_broker_flushed_and_restarted_loses_nothing(demo: Demo) -> None:
    arn, request_id = demo.order()
    with Redis.from_url(demo.card["redis_url"], socket_timeout=5) as broker:
        broker.flushall()
        with contextlib.suppress(RedisError):  # it hangs up on us, as asked
            broker.shutdown(nosave=True)

    demo.decide(request_id, "approved")

    demo.delivered(request_id, within=LEASE_AND_SWEEP)
    assert demo.ended(arn)["Status"] == "SUCCEEDED"


def test_heartbeats_keep_a_callback_alive_and_their_loss_is_told(demo: Demo) -> None:
    arn, request_id = demo.order("short-heartbeat", heartbeat_timeout_seconds=4)
    eventually(
        lambda: demo.beats(request_id) >= 5,
        within=30,
        what="five beats, more than the callback lives without them",
    )
    assert demo.request(request_id)["state"] == "pending"

    worker = os.getpgid(demo.pid("worker"))
    os.killpg(worker, signal.SIGSTOP)
    try:
        ended = demo.ended(arn, within=30)
    finally:
        os.killpg(worker, signal.SIGCONT)

    assert "heartbeat" in json.dumps(ended)
    withdrawn = eventually(
        lambda: shown if (shown := demo.request(request_id))["state"] != "pending" else None,
        within=40,
        what="the portal took the request back",
    )
    assert withdrawn["state"] == "withdrawn"
    assert withdrawn["closed_because"]
