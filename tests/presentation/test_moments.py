"""Times as words, and the whole moment beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from approvals.templatetags.amounts import money
from approvals.templatetags.moments import lasted, left, remaining, spoken, until, when, whole

NOW = datetime(2026, 11, 20, 13, 18, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_oslo() -> Iterator[None]:
    with timezone.override(ZoneInfo("Europe/Oslo")):
        yield


def after(**length: float) -> datetime:
    return NOW + timedelta(**length)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (after(seconds=-4), "4 s ago"),
        (after(seconds=-0.4), "now"),
        (after(minutes=-12, seconds=-50), "12 min ago"),
        (after(minutes=-65), "1 h 05 min ago"),
        (after(minutes=34), "in 34 min"),
        (after(days=3), "Mon 14:18"),
        (after(days=-2), "18 Nov, 14:18"),
        (after(days=-400), "16 Oct 2025, 15:18"),
    ],
)
def test_a_near_moment_is_relative_and_a_far_one_a_date(moment: datetime, words: str) -> None:
    assert spoken(moment, NOW) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (after(seconds=42), "42 s"),
        (after(minutes=9, seconds=5), "9 min 05 s"),
        (after(minutes=10, seconds=59), "10 min"),
        (after(hours=2, minutes=5), "2 h 05 min"),
        (after(days=3), "Mon 14:18"),
        (after(minutes=-5), "5 min late"),
        (after(days=-3, hours=-4), "3 d 4 h late"),
    ],
)
def test_time_left_counts_seconds_only_when_they_matter(moment: datetime, words: str) -> None:
    assert remaining(moment, NOW) == words


def test_the_whole_moment_names_its_zone() -> None:
    assert whole(NOW) == "Fri 20 Nov 2026, 14:18:06 CET (UTC+1)"
    with timezone.override(UTC):
        assert whole(NOW) == "Fri 20 Nov 2026, 13:18:06 UTC"
    with timezone.override(ZoneInfo("America/St_Johns")):
        assert whole(NOW).endswith("NST (UTC−3:30)")


def test_a_moment_carries_what_the_ticker_and_the_printer_need() -> None:
    drawn = when(after(minutes=34), NOW)
    assert drawn == (
        '<time class="when" datetime="2026-11-20T13:52:06+00:00" '
        'title="Fri 20 Nov 2026, 14:52:06 CET (UTC+1)" data-when>in 34 min</time>'
    )
    assert "data-left>34 min<" in left(after(minutes=34), NOW)


def test_without_a_moment_nothing_is_said() -> None:
    assert when(None, NOW) == left(None, NOW) == lasted(None) == ""
    assert until(None, NOW) is None


@pytest.mark.parametrize(
    ("length", "words"),
    [(0.3, "0.3 s"), (18.0, "18 s"), (timedelta(minutes=58), "58 min"), (0.0, "0 s")],
)
def test_a_short_length_has_tenths(length: timedelta | float, words: str) -> None:
    assert lasted(length) == words


def test_money_that_is_none_is_shown_as_it_came() -> None:
    assert money("4597", "EUR") == '<b class="money">€4,597.00</b>'
    assert money("<b>", "EUR") == '<b class="money">&lt;b&gt; EUR</b>'
    assert money(None, "EUR") == ""
