"""What a probe is told: each part fails for real here."""

from __future__ import annotations

import json
import socket
import time
from datetime import timedelta

import pytest
from django.db import connection, connections

from approvals import doorbell
from approvals.clock import database_now
from approvals.models import SweepMark
from portal import beat
from portal.supervisor import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_client():
    beat.broker.cache_clear()
    beat.broker().delete(beat.BEAT_KEY)
    yield
    beat.broker.cache_clear()


NEEDED = [doorbell.SEND_HEARTBEATS, doorbell.EXPIRE_REQUESTS, doorbell.DELIVER_CALLBACKS]


def come_by(*sweeps: str) -> None:
    for name in sweeps:
        SweepMark.objects.finished(name, at=database_now(), found=0)


@pytest.fixture
def all_is_well() -> None:
    come_by(*NEEDED)
    beat.leave_sign()


@pytest.fixture
def mute_port():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ask(client) -> tuple[int, dict]:
    began = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - began < 2.5
    return answer.status_code, {
        name: part["ok"] for name, part in json.loads(answer.content)["parts"].items()
    }


def detail(client, part: str) -> str:
    return json.loads(client.get("/readyz").content)["parts"][part]["detail"]


@pytest.mark.usefixtures("all_is_well")
def test_it_is_ready_when_every_part_is(client):
    parts = {"database": True, "worker": True, "broker": True, "beat": True}
    assert ask(client) == (200, parts)


def test_no_sweep_yet_means_no_worker(client):
    beat.leave_sign()
    status, parts = ask(client)
    assert (status, parts["worker"], parts["database"]) == (503, False, True)
    assert "start a worker" in detail(client, "worker")


@pytest.mark.usefixtures("all_is_well")
def test_a_stale_mark_means_no_worker_though_it_may_run(client, settings):
    stale = database_now() - settings.WORKER_SEEN_WITHIN - timedelta(seconds=5)
    SweepMark.objects.update(finished_at=stale)
    status, parts = ask(client)
    assert (status, parts["worker"]) == (503, False)
    assert "No sweep has finished for 35 s" in detail(client, "worker")


@pytest.mark.usefixtures("all_is_well")
@pytest.mark.parametrize(
    ("starved", "work"),
    [
        (doorbell.SEND_HEARTBEATS, "heartbeats"),
        (doorbell.EXPIRE_REQUESTS, "clocks"),
        (doorbell.DELIVER_CALLBACKS, "answers"),
    ],
)
def test_work_that_starves_is_named_though_other_sweeps_end(client, settings, starved, work):
    come_by(doorbell.LOOK_AT_EXECUTIONS, doorbell.SEND_NOTICES)
    stale = database_now() - settings.WORKER_SEEN_WITHIN - timedelta(seconds=5)
    SweepMark.objects.filter(name=starved).update(finished_at=stale)
    status, parts = ask(client)
    assert (status, parts["worker"]) == (503, False)
    assert f"No sweep of {work} has finished for 35 s: " in detail(client, "worker")


@pytest.mark.usefixtures("all_is_well")
def test_all_work_that_has_never_been_done_is_named(client):
    SweepMark.objects.exclude(name=doorbell.EXPIRE_REQUESTS).delete()
    assert detail(client, "worker").startswith(
        "No sweep of heartbeats has finished yet, no sweep of answers has finished yet: "
    )


@pytest.mark.usefixtures("all_is_well")
def test_whoever_stands_by_for_answers_is_as_good_as_a_sweep_for_them(client):
    SweepMark.objects.filter(name=doorbell.DELIVER_CALLBACKS).delete()
    come_by(doorbell.STAND_BY)
    assert ask(client)[0] == 200


@pytest.mark.usefixtures("all_is_well")
def test_a_sweep_is_not_missed_sooner_than_it_can_come_by_twice(client, settings):
    settings.WORKER_SEEN_WITHIN = timedelta(seconds=5)
    before = database_now() - timedelta(seconds=8)
    SweepMark.objects.filter(name=doorbell.DELIVER_CALLBACKS).update(finished_at=before)
    assert ask(client)[0] == 200


def test_a_beat_that_never_rang_is_seen(client):
    come_by(*NEEDED)
    status, parts = ask(client)
    assert (status, parts["beat"], parts["broker"]) == (503, False, True)
    assert "start beat" in detail(client, "beat")


def test_beats_sign_of_life_expires():
    beat.leave_sign()
    assert 0 < beat.broker().ttl(beat.BEAT_KEY) <= beat.BEAT_LASTS.total_seconds()


@pytest.mark.usefixtures("all_is_well")
def test_a_broker_that_refuses_is_named(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beat.broker.cache_clear()
    status, parts = ask(client)
    assert status == 503
    assert parts == {"database": True, "worker": True, "broker": False, "beat": False}
    assert "REDIS_URL" in detail(client, "broker")


@pytest.mark.usefixtures("all_is_well")
def test_a_mute_broker_costs_the_answer_a_second_at_most(client, settings, mute_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{mute_port}/0"
    beat.broker.cache_clear()
    status, parts = ask(client)
    assert (status, parts["broker"]) == (503, False)


@pytest.fixture
def database_at(monkeypatch):
    """Sends the threads of the probe to another port; this thread keeps its connection."""

    def elsewhere(port: int) -> None:
        monkeypatch.setitem(connections["default"].settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connections["default"].settings_dict, "PORT", str(port))

    return elsewhere


@pytest.mark.usefixtures("all_is_well")
def test_a_database_that_refuses_is_named(client, database_at):
    database_at(1)
    status, parts = ask(client)
    assert status == 503
    assert parts == {"database": False, "worker": False, "broker": True, "beat": True}


@pytest.mark.usefixtures("all_is_well")
def test_a_mute_database_costs_the_answer_a_second_at_most(client, database_at, mute_port):
    database_at(mute_port)
    status, parts = ask(client)
    assert (status, parts["database"]) == (503, False)
    assert "no answer within 1 s" in detail(client, "database")


def test_missing_tables_are_named(client):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE approvals_sweepmark RENAME TO elsewhere")
    try:
        assert ask(client)[0] == 503
        assert "manage.py migrate" in detail(client, "database")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO approvals_sweepmark")


def test_asking_leaves_no_connection_behind(client):
    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    before = others()
    for _ in range(3):
        ask(client)
    # A server's process goes a moment after its client.
    assert wait_until(lambda: others() <= before, within=timedelta(seconds=10))


def test_a_process_without_anything_is_alive(client, settings, database_at):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    database_at(1)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_sent_to_https_and_begin_no_session(
    client, settings, path, django_assert_num_queries
):
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):  # the thread that serves the request asks nothing
        answer = client.get(path)
    assert answer.status_code in (200, 503)
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_ask(client, path):
    assert client.post(path).status_code == 405


def test_a_broker_that_is_away_does_not_stop_beat(settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beat.broker.cache_clear()
    beat.leave_sign()
    assert "sign of life was not written" in caplog.text
