"""The benchmarks still run, and what they count is true. Never how fast: that is theirs."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench import chain, decide, heartbeats, intake, load, outage, queue, report, results, resume
from bench.figures import BenchError, Size, Spread, percentile
from bench.heartbeat_report import heartbeats_table
from bench.house import House
from bench.messages import HOST, Messages
from bench.queue_report import queue_table
from portal.embedded import ground
from tests.portal.processes import alive

TINY = Size(rounds=1, span=timedelta(seconds=0.2), connections=2)
SWEEP_SECONDS = 5  # deliver_callbacks in CELERY_BEAT_SCHEDULE
SECRET = "whsec_" + "A" * 43 + "="


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_intake_counts_a_row_for_each_new_message_and_none_for_a_repeated_one(
    tmp_path: Path,
) -> None:
    with House(tmp_path / "a house", callback_api=intake.NO_CALLBACKS) as house:
        (only,) = intake.measure(house, TINY)
        rows = house.rows("approvals_approvalrequest", "bare_approval", "bare_outbox")
        pids = list(house.pids.values())

    # warm-up and half speed leave rows too
    assert rows["approvals_approvalrequest"] >= only.portal.count + only.portal_half.count > 0
    assert rows["bare_approval"] == rows["bare_outbox"] >= only.bare.count > 0
    assert 0 < only.replayed <= only.portal.count
    assert "| requests per second " in report.intake_table([only], TINY)
    assert not any(alive(pid) for pid in pids)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_each_request_prepared_is_decided_once_and_leaves_one_row(tmp_path: Path) -> None:
    with House(tmp_path / "a house", callback_api=intake.NO_CALLBACKS) as house:
        (only,) = decide.measure(house, TINY)
        rows = house.rows("approvals_decision", "approvals_callbackdelivery", "bare_decision")

    assert rows["approvals_decision"] == rows["approvals_callbackdelivery"]
    assert rows["approvals_decision"] >= only.portal.count > 0  # the warm-up leaves rows too
    assert rows["bare_decision"] >= only.bare.count > 0
    assert "| requests per second " in report.decide_table([only], TINY)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_a_generated_queue_is_read_along_its_indexes_in_few_statements(tmp_path: Path) -> None:
    size = replace(TINY, pending=2_000, closed=10_000)
    with House(tmp_path / "a house", callback_api=intake.NO_CALLBACKS, with_pages=True) as house:
        found = queue.measure(house, size)
        rows = house.rows("approvals_approvalrequest", "approvals_assignment")

    originals = 2
    assert set(rows.values()) == {size.pending + size.closed + originals}
    assert found.many.scans == []
    assert [page.rows for page in (found.many.first, *found.many.deep)] == [50] * 4
    assert len(found.many.first.statements) <= 5
    assert {len(poll.statements) for poll in (found.many.news, found.many.panel)} == {2}
    assert "| page of 50 " in queue_table(found, size)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_sealing_is_counted_for_both_verbs_and_reading_for_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "CALLS_A_ROUND", 6)
    with House(tmp_path / "a house", callback_api=intake.NO_CALLBACKS) as house:
        verbs = chain.measure(house, TINY)
        rows = house.rows("approvals_decision", "approvals_approvalrequest")

    assert rows == {"approvals_decision": 6, "approvals_approvalrequest": 8}
    assert 0 < verbs["intake"].sealing < verbs["intake"].sealed
    assert 0 < verbs["decide"].reading < verbs["decide"].sealed
    assert "| decide " in chain.chain_table(verbs, TINY)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_every_decision_of_both_sides_arrives_once_and_after_its_commit(
    tmp_path: Path,
) -> None:
    with (
        resume.CallbackApi() as api,
        House(tmp_path / "a house", callback_api=api.url) as house,
    ):
        (only,) = resume.measure(house, api, TINY, warm_up=1)
        rows = house.rows("approvals_decision", "approvals_callbackdelivery", "bare_decision")

    decided = rows["approvals_decision"]
    assert rows["approvals_callbackdelivery"] == decided >= len(only.committed) > 0
    assert rows["bare_decision"] == decided
    assert len(only.direct) == len(only.committed)
    assert len(api.arrived) == 2 * decided
    assert all(waited > 0 for waited in [*only.committed, *only.direct])
    assert "| COMMIT to call " in report.resume_table([only], TINY)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_each_callback_of_a_herd_is_beaten_for_in_its_turn_and_soon_again(tmp_path: Path) -> None:
    size = replace(TINY, watch=timedelta(seconds=5), beating=120, many_beating=240)
    port = ground.free_port()
    with House(tmp_path / "a house", callback_api=f"http://{HOST}:{port}") as house:
        found = heartbeats.measure(house, port, size)
        rows = house.rows("approvals_heartbeat", "approvals_approvalrequest")

    original = 1
    assert rows["approvals_heartbeat"] == size.many_beating
    assert rows["approvals_approvalrequest"] == size.many_beating + original
    assert [watch.requests for watch in found.watches] == [size.beating, size.many_beating]
    assert found.watches[0].beats > 0
    assert set(found.rounds[0].near) == {"one-by-one", "on-threads", "portal"}
    assert "| portal, CPU per beat, ms " in heartbeats_table(found, size)


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_an_outage_of_the_broker_costs_no_decision_and_no_click_a_second(tmp_path: Path) -> None:
    size = replace(TINY, outage=timedelta(seconds=8))
    with (
        resume.CallbackApi() as api,
        House(tmp_path / "a house", callback_api=api.url) as house,
    ):
        found = outage.measure(house, api, size)  # each decision arrived once, or it raises
        rows = house.rows("approvals_callbackdelivery")

    assert rows["approvals_callbackdelivery"] == len(found.clicks) + len(found.ordinary)
    assert max(found.clicks) < 1
    assert max(found.arriving) <= SWEEP_SECONDS + 2
    assert found.meanwhile
    assert "| during the outage " in outage.outage_table(found)


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers 201 and keeps the connection; hangs up at /closed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/closed":
            self.close_connection = True
            return
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
        """Nobody reads it."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer((HOST, 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _post(path: str = "/") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()


def test_the_load_ends_at_its_number_of_requests(port: int) -> None:
    sent: list[int] = []

    def message(number: int) -> bytes:
        sent.append(number)
        return _post()

    outcome = load.run(port, message, connections=3, span=timedelta(seconds=30), most=20)

    assert sorted(sent) == list(range(20))
    assert outcome.statuses == {201: 20}
    assert outcome.count == 20


def test_a_rate_bounds_what_is_sent(port: int) -> None:
    span = timedelta(seconds=0.2)
    outcome = load.run(port, lambda _: _post(), connections=2, span=span, rate=50)

    assert outcome.count == 10


def test_a_server_that_hangs_up_ends_the_run_with_a_sentence(port: int) -> None:
    with pytest.raises(BenchError, match="After 0 answers: the server hung up"):
        load.run(port, lambda _: _post("/closed"), connections=1, span=timedelta(seconds=5))


def test_the_same_number_of_a_series_is_the_same_body_and_another_is_not() -> None:
    first, again, other = (
        Messages(slug="orders", secret=SECRET, series=series) for series in ("a", "a", "b")
    )

    assert first.body(7) == again.body(7)
    assert len({first.body(7), first.body(8), other.body(7)}) == 3


def test_a_percentile_is_a_sample_and_nothing_has_none() -> None:
    assert [percentile([3.0, 1.0, 2.0], percent) for percent in (1, 50, 99)] == [1.0, 2.0, 3.0]
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    with pytest.raises(BenchError, match="--seconds"):
        percentile([], 50)


def test_writing_one_part_of_the_report_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    kept = tmp_path / "results.md"
    results.write(["## Decision to call (5 rounds)\n\nslow", "## Intake (5 rounds)\n\nold"], kept)

    results.write(["## Intake (9 rounds)\n\nnew"], kept)

    assert kept.read_text() == (
        "# Results\n\n## Intake (9 rounds)\n\nnew\n\n## Decision to call (5 rounds)\n\nslow\n"
    )
