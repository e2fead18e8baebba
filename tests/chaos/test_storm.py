"""A storm of half a minute over everything at once; `make chaos` runs the long one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos import faults, report
from tests.chaos.run import weather
from tests.chaos.storms import SHORT

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("storm")]


def test_a_storm_loses_nothing_doubles_nothing_and_mistakes_nothing(tmp_path: Path) -> None:
    after = weather(SHORT, tmp_path / "a storm", seed="half a minute", say=lambda _: None)

    told = report.text(after)
    assert after.violations == [], told
    assert after.quiet_after is not None, told
    dealt = Counter(call.fault for call in after.evidence.record.calls)
    assert set(faults.ANSWERS) <= dealt.keys(), told
    assert set(SHORT.troubles) - {"skew_clock"} <= after.deeds.keys(), told
    assert len(after.evidence.rows) == SHORT.requests, told
