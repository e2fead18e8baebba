"""The benchmark of deliveries still runs, and refuses figures where a count is off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench import deliveries
from bench.delivery_report import deliveries_table
from bench.figures import BenchError, Size
from bench.house import House
from bench.messages import HOST
from portal.embedded import ground

BRIEF = Size(rounds=1, span=timedelta(seconds=0.2))


@pytest.mark.journey
@pytest.mark.xdist_group("bench")
def test_each_answer_that_is_owed_is_delivered_once_and_its_wait_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "WARM_UP_ANSWERS", 8)
    port = ground.free_port()
    with House(tmp_path / "a house", callback_api=f"http://{HOST}:{port}") as house:
        found = deliveries.measure(house, port, BRIEF)  # each arrived once, or it raises
        rows = house.rows("approvals_callbackdelivery", "approvals_heartbeat")

    original, warm_up = 1, 8 * 4
    assert rows["approvals_callbackdelivery"] == original + warm_up + found.delivered
    assert rows["approvals_heartbeat"] == original
    assert found.delivered >= 4 * deliveries.LEAST_ANSWERS
    assert found.called > 0
    (only,) = found.rounds
    assert set(only.near) == set(only.far) == set(deliveries.SIDES)
    assert "| portal, 8 sources, CPU per delivery, ms " in deliveries_table(found, BRIEF)


@pytest.mark.parametrize(
    "heard",
    [{"7": [0.5]}, {"7": [0.5], "8": [0.6, 0.7]}, {"7": [0.5], "8": [0.6], "-1": [0.7]}],
    ids=["one was not heard of", "one was heard of twice", "a stranger was heard of"],
)
def test_what_arrived_otherwise_than_once_leaves_no_figures(heard: dict[str, list[float]]) -> None:
    deliveries.expect_each_once({"7": [0.5], "8": [0.6]}, range(7, 9), "one source")

    with pytest.raises(BenchError, match="one source: answers that did not arrive once: "):
        deliveries.expect_each_once(heard, range(7, 9), "one source")
