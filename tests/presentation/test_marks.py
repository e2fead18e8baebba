"""Icons, dials, bars, initials and codes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.templatetags.codes import breakable
from approvals.templatetags.icons import icon, initials
from approvals.templatetags.marks import bar, dial, urgency

MINUTE = timedelta(minutes=1)


def test_a_dial_shows_the_share_that_is_left_without_any_style() -> None:
    drawn = dial(17 * MINUTE, 100 * MINUTE)
    assert 'stroke-dasharray="17 100"' in drawn
    assert 'aria-hidden="true"' in drawn
    assert "style=" not in drawn


def test_there_is_no_dial_without_a_deadline() -> None:
    assert dial(None, None) == ""
    assert dial(MINUTE, None) == ""


def test_a_share_stays_between_nothing_and_all() -> None:
    assert 'width="0"' in bar(-5, 10)
    assert bar(50, 10).count('width="100"') == 2


def test_a_bar_of_nothing_is_empty() -> None:
    assert 'width="0"' in bar(5, 0)


@pytest.mark.parametrize(
    ("left", "total", "tone"),
    [
        (14 * MINUTE, 24 * MINUTE, "risk"),
        (16 * MINUTE, 24 * MINUTE, "warn"),
        (60 * MINUTE, 70 * MINUTE, "calm"),
        (119 * MINUTE, 600 * MINUTE, "risk"),
        (-MINUTE, 600 * MINUTE, "risk"),
        (None, None, "calm"),
        (899, None, "risk"),
        (901, None, "warn"),
    ],
)
def test_red_is_a_quarter_of_an_hour_or_a_fifth_and_amber_an_hour(
    left: timedelta | float | None, total: timedelta | None, tone: str
) -> None:
    assert urgency(left, total) == tone


def test_an_icon_is_hidden_from_screen_readers_and_escapes_its_name() -> None:
    drawn = icon('x"><script>', "big")
    assert 'aria-hidden="true"' in drawn
    assert 'class="i big"' in drawn
    assert "<script>" not in drawn


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mara Lindqvist", "ML"),
        ("mara.lindqvist@shop.example", "ML"),
        ("dana", "D"),
        ("Ana Maria de Souza", "AS"),
        ("", "?"),
        ("...", "?"),
    ],
)
def test_initials_are_the_first_and_the_last(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_code_breaks_between_its_words_and_is_escaped() -> None:
    assert breakable("CallbackTimeoutException") == "Callback<wbr>Timeout<wbr>Exception"
    assert breakable("KMSException<b>") == "KMSException&lt;b&gt;"
    assert breakable("") == ""
