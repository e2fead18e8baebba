"""/metrics: who may read it, and what it says of rows made through the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection, connections
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from approvals import doorbell, lifecycle, tasks
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Circuit, Heartbeat, SweepMark, Tally
from approvals.operations.metrics import page
from approvals.states import Channel, Reply, Verdict, Withdrawal
from portal import beat
from tests.callbacks.conftest import decided
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_kind, make_request, make_source, make_user
from tests.fakes.gateway import ScriptedGateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]

TOKEN = "a-token-of-the-scraper-alone"
Figures = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _protected(settings: Any) -> Any:
    settings.METRICS_TOKEN = TOKEN
    beat.broker.cache_clear()
    yield
    beat.broker.cache_clear()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> ScriptedGateway:
    gateway = ScriptedGateway()
    monkeypatch.setattr(tasks, "gateway", lambda: gateway)
    return gateway


def ask(client: Client, token: str = TOKEN, **headers: str) -> Any:
    return client.get("/metrics", headers={"authorization": f"Bearer {token}", **headers})


def scrape(client: Client) -> Figures:
    """(name, label values in the order of their labels' names…) -> number, without the prefix."""
    answer = ask(client)
    assert answer.status_code == 200
    return {
        (
            sample.name.removeprefix("countersign_"),
            *(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def run(name: str) -> None:
    current_app.tasks[name].run()


def test_what_is_held_is_told_and_what_nobody_concludes_is_due(client):
    anna = make_user("anna")
    make_kind(undo_seconds=10)
    row = make_request(anna, timeout_seconds=3_600)
    lifecycle.decide(
        row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER, held=True
    )
    figures = scrape(client)
    assert (figures[("decisions_held",)], figures["work_due", "holds"]) == (1, 0)
    assert figures[("requests_nobody_can_decide",)] == 0  # somebody has
    past = database_now() - timedelta(seconds=90)
    ApprovalRequest.objects.filter(pk=row.pk).update(held_until=past)
    figures = scrape(client)
    assert figures["work_due", "holds"] == 1
    assert 90 <= figures["oldest_due_seconds", "holds"] < 200
    run(doorbell.EXPIRE_REQUESTS)
    figures = scrape(client)
    assert (figures[("decisions_held",)], figures["work_due", "holds"]) == (0, 0)


# --- Who may read it --------------------------------------------------------------------


def test_without_a_token_in_the_settings_there_is_no_such_page(client, settings):
    settings.METRICS_TOKEN = ""
    assert ask(client).status_code == 404
    assert ask(client, token="").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_nobody_reads_it_without_the_token(client, header):
    answer = client.get("/metrics", headers={"authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"countersign_" not in answer.content


def test_an_operator_who_is_signed_in_needs_the_token_too(client):
    client.force_login(make_user(role="operator"))
    assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize("method", ["post", "head", "put", "delete"])
def test_it_only_answers_get(client, method):
    answer = getattr(client, method)("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 405


def test_a_scrape_begins_no_session_is_not_cached_and_not_sent_to_https(
    client, settings, django_assert_num_queries
):
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):  # the thread that serves the request asks nothing
        answer = ask(client)
    assert answer.status_code == 200
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_a_scraper_gets_the_format_it_prefers(client):
    assert ask(client)["Content-Type"].startswith("text/plain")
    answer = ask(client, accept="application/openmetrics-text;version=1.0.0")
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


# --- What stands open ---------------------------------------------------------------------


def test_open_requests_are_told_by_kind_and_by_age(client):
    make_request(make_user())
    make_request(make_user(), kind="order")
    closed = make_request(make_user())
    lifecycle.withdraw(closed.pk, why=Withdrawal.SOURCE, reason="Gone.")
    figures = scrape(client)
    assert figures["requests_open", "under 5m", "generic"] == 1
    assert figures["requests_open", "under 5m", "order"] == 1
    assert 0 < figures[("oldest_open_request_seconds",)] < 60


def test_an_old_request_is_told_as_old(client):
    made_old(make_request(make_user()), timedelta(hours=3))
    figures = scrape(client)
    assert figures["requests_open", "1h to 1d", "generic"] == 1
    assert figures["requests_open", "under 5m", "generic"] == 0
    assert figures[("oldest_open_request_seconds",)] == pytest.approx(3 * 3600, abs=60)


def made_old(request: Any, age: timedelta) -> None:
    with connection.cursor() as cursor:  # what was received when cannot be changed: a replica
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE approvals_approvalrequest SET received_at = received_at - %s WHERE id = %s",
            [age, request.pk],
        )
        cursor.execute("SET session_replication_role = origin")


def test_a_request_whose_reviewers_have_left_is_one_nobody_can_decide(client):
    reviewer = make_user()
    make_request(reviewer)
    assert scrape(client)[("requests_nobody_can_decide",)] == 0
    reviewer.groups.clear()
    assert scrape(client)[("requests_nobody_can_decide",)] == 1


def test_a_deadline_that_is_near_and_a_due_time_that_passed_are_told(client):
    make_request(make_user(), timeout_seconds=600)
    make_request(make_user(), timeout_seconds=86_400)
    figures = scrape(client)
    assert figures[("requests_near_deadline",)] == 1
    assert figures[("requests_overdue",)] == 0


def test_an_answer_owed_is_told_until_aws_took_it(client, aws):
    decided()
    figures = scrape(client)
    assert figures["deliveries_owed", "new"] == 1
    assert figures["work_due", "deliveries"] == 1
    aws.then(Reply.UNAVAILABLE)
    run(doorbell.DELIVER_CALLBACKS)
    figures = scrape(client)
    assert figures["deliveries_owed", "retrying"] == 1
    assert figures[("oldest_owed_delivery_seconds",)] > 0
    assert figures["deliveries_not_taken", "undeliverable"] == 0


def test_an_answer_aws_refused_stands_as_undeliverable(client, aws):
    decided()
    aws.then(Reply.REFUSED)
    run(doorbell.DELIVER_CALLBACKS)
    run(doorbell.COUNT_EVENTS)
    figures = scrape(client)
    assert figures["deliveries_not_taken", "undeliverable"] == 1
    assert figures["deliveries_settled_total", "undeliverable"] == 1
    assert figures["deliveries_settled_total", "unconfirmed"] == 0


def test_a_heartbeat_is_due_at_receipt_and_late_when_nobody_beats(client):
    make_request(make_user(), heartbeat_timeout_seconds=30)
    assert scrape(client)["work_due", "heartbeats"] == 1
    Heartbeat.objects.update(next_beat_at=database_now() - timedelta(minutes=10))
    figures = scrape(client)
    assert figures[("heartbeats_late",)] == 1
    assert figures["oldest_due_seconds", "heartbeats"] == pytest.approx(600, abs=30)


def test_a_broken_way_to_aws_is_told_by_source(client):
    now = database_now()
    Circuit.objects.create(source=make_source("broken"), opened_at=now, probe_at=now)
    Circuit.objects.create(source=make_source("mended"))
    figures = scrape(client)
    assert figures["circuit_open", "broken"] == 1
    assert figures["circuit_open", "mended"] == 0


# --- What has happened ---------------------------------------------------------------------


def test_outcomes_deliveries_and_their_latency_are_counted_once_however_often_one_looks(
    client, aws
):
    decided()
    decided(Verdict.REJECTED)
    lifecycle.withdraw(make_request(make_user()).pk, why=Withdrawal.SOURCE, reason="Gone.")
    run(doorbell.DELIVER_CALLBACKS)
    for _ in range(3):
        run(doorbell.COUNT_EVENTS)
    figures = scrape(client)
    assert figures["requests_received_total", "generic"] == 3
    assert figures["requests_closed_total", "approved"] == 1
    assert figures["requests_closed_total", "rejected"] == 1
    assert figures["requests_closed_total", "withdrawn"] == 1
    assert figures["requests_closed_total", "expired"] == 0
    owed = CallbackDelivery.objects.count()
    assert figures["deliveries_settled_total", "delivered"] == owed
    assert figures["delivery_seconds_bucket", "+Inf"] == owed
    assert figures["delivery_seconds_bucket", "10.0"] == owed
    assert 0 < figures[("delivery_seconds_sum",)] < 10 * owed
    assert figures["work_due", "history"] == 0


def test_an_answer_an_operator_forced_counts_by_its_outcome(client):
    request = make_request(make_user())
    lifecycle.force(
        request.pk,
        verdict=Verdict.APPROVED,
        operator=make_user(role="operator"),
        reason="Nobody is there.",
        channel=Channel.BROWSER,
    )
    run(doorbell.COUNT_EVENTS)
    figures = scrape(client)
    assert figures["requests_closed_total", "approved"] == 1
    assert figures["events_total", "request.forced"] == 1


def test_each_call_to_aws_is_counted_by_its_reply(client, aws):
    make_request(make_user(), heartbeat_timeout_seconds=30)
    run(doorbell.SEND_HEARTBEATS)
    figures = scrape(client)
    assert figures["beats_total", "accepted"] == 1
    assert figures["beats_total", "refused"] == 0


def test_a_sweep_tells_when_it_ended_and_how_long_it_took(client):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET applied = now() - interval '1 hour'")
    assert scrape(client)["sweep_age_seconds", "send_notices"] == pytest.approx(3600, abs=60)
    run(doorbell.SEND_NOTICES)
    figures = scrape(client)
    assert figures["sweep_age_seconds", "send_notices"] < 30
    assert figures["sweep_runs_total", "send_notices"] == 1
    assert 0 < figures["sweep_seconds_total", "send_notices"] < 30
    assert figures["sweep_last_seconds", "send_notices"] > 0
    assert figures["sweep_period_seconds", "send_notices"] == 5


def test_two_ends_of_a_sweep_add_up(client):
    counts = {("beats", "accepted"): 2.0}
    for _ in range(2):
        SweepMark.objects.finished(doorbell.SEND_HEARTBEATS, found=2, seconds=0.5, counts=counts)
    figures = scrape(client)
    assert figures["beats_total", "accepted"] == 4
    assert figures["sweep_seconds_total", "send_heartbeats"] == 1.0
    assert figures["sweep_found_total", "send_heartbeats"] == 4
    assert SweepMark.objects.get().found == 2


def test_saying_that_a_sweep_came_by_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        SweepMark.objects.finished("x", found=1, seconds=0.1, counts={("beats", "closed"): 1.0})
    assert Tally.objects.totals()["beats"] == {"closed": 1.0}


# --- When something is gone -------------------------------------------------------------------


def test_rings_that_wait_and_beats_sign_are_told(client):
    broker = beat.broker()
    broker.delete(beat.BEAT_KEY, "notify")
    assert scrape(client)[("beat_up",)] == 0
    beat.leave_sign()
    broker.rpush("notify", "ring", "ring")
    try:
        figures = scrape(client)
    finally:
        broker.delete("notify")
    assert figures[("broker_up",)] == figures[("beat_up",)] == 1
    assert figures["broker_queue_length", "notify"] == 2


def test_a_broker_that_is_away_hides_nothing_else(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beat.broker.cache_clear()
    figures = scrape(client)
    assert figures[("broker_up",)] == 0
    assert ("beat_up",) not in figures
    assert figures[("database_up",)] == 1


def test_a_database_that_is_away_is_a_figure_too(client, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    figures = scrape(client)
    assert figures[("database_up",)] == 0
    assert ("broker_up",) in figures


def test_a_database_that_hangs_is_told_within_the_limit(client, monkeypatch):
    monkeypatch.setattr(page, "LIMIT", timedelta(seconds=0))
    answer = ask(client)
    assert (answer.status_code, answer.content[:12]) == (503, b"The database")


def test_a_part_that_fails_hides_no_other(client):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE approvals_circuit RENAME TO elsewhere")
    try:
        figures = scrape(client)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO approvals_circuit")
    assert figures["scrape_part_failed", "circuits"] == 1
    assert figures["scrape_part_failed", "requests"] == 0
    assert ("heartbeats_late",) in figures


def test_asking_leaves_no_connection_behind(client):
    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return int(cursor.fetchone()[0])

    before = others()
    for _ in range(3):
        ask(client)
    assert others() <= before
