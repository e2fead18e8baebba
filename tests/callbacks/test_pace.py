from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.callbacks import pace
from approvals.callbacks.gateway import Answer
from approvals.states import Reply


@pytest.mark.parametrize(
    ("attempt", "longest"),
    [(1, 1), (2, 2), (3, 4), (8, 128), (9, 256), (10, 300), (1000, 300), (10**9, 300)],
)
def test_the_longest_wait_doubles_up_to_five_minutes(attempt: int, longest: int) -> None:
    assert pace.backoff(attempt, chance=lambda: 1.0) == timedelta(seconds=longest)


def test_jitter_is_full_so_that_a_crowd_spreads_out() -> None:
    assert pace.backoff(5, chance=lambda: 0.0) == timedelta(0)
    assert len({pace.backoff(9) for _ in range(50)}) > 40


def test_what_needs_mending_is_tried_each_minute_however_often_it_failed() -> None:
    answer = Answer(Reply.UNAVAILABLE, needs_mending=True)

    for attempt in (1, 50):
        assert 54 <= pace.after(answer, attempt).total_seconds() <= 66


def test_aws_s_wish_to_wait_is_a_floor_and_not_a_ceiling() -> None:
    answer = Answer(Reply.UNAVAILABLE, retry_after=timedelta(seconds=7))

    assert pace.after(answer, 1, chance=lambda: 1.0) == timedelta(seconds=7)
    assert pace.after(answer, 5, chance=lambda: 1.0) == timedelta(seconds=16)
