"""How many calls may be made, at times that are given."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.callbacks import buckets
from approvals.callbacks.buckets import SAVED_FOR, Bucket, Buckets

RATE = 100.0
SAVED = int(RATE * SAVED_FOR)
NO_PAUSE = timedelta(0)


@pytest.fixture
def bucket() -> Bucket:
    """Full, at second 0."""
    return Bucket(RATE, 0.0)


def most_within(bucket: Bucket, seconds: float, *, step: float = 0.25) -> int:
    """How many calls somebody makes who always makes as many as may be, from second 0."""
    made, turns = 0, int(seconds / step)
    for turn in range(turns + 1):
        number = bucket.free(turn * step)
        bucket.take(number, turn * step)
        made += number
    return made


def test_no_more_than_the_rate_passes_but_for_what_was_saved(bucket: Bucket) -> None:
    assert most_within(bucket, 60.0) == SAVED + 60 * RATE


def test_what_is_saved_does_not_grow_with_the_rest(bucket: Bucket) -> None:
    assert bucket.free(3600.0) == SAVED


def test_what_was_taken_beyond_is_paid_before_the_next(bucket: Bucket) -> None:
    bucket.take(SAVED + 100, 0.0)

    assert bucket.free(0.9) == 0
    assert bucket.free(1.5) == SAVED


def test_however_low_the_rate_a_call_passes_now_and_then() -> None:
    slow = Bucket(0.5, 0.0)
    slow.take(1, 0.0)

    assert (slow.free(1.9), slow.free(2.0)) == (0, 1)


def test_nothing_passes_while_aws_wants_a_pause(bucket: Bucket) -> None:
    bucket.slow_down(timedelta(seconds=5), 0.0)

    assert bucket.free(4.9) == 0
    assert bucket.free(5.0) > 0


def test_after_it_half_the_rate_passes_and_more_with_each_second(bucket: Bucket) -> None:
    bucket.slow_down(NO_PAUSE, 0.0)

    first = most_within(bucket, 1.0)
    assert RATE / 2 <= first <= RATE * 0.55
    later = [bucket.free(moment) for moment in (20.0, 40.0, 60.0)]
    assert later == sorted(later)
    assert later[-1] == SAVED


def test_many_requests_to_slow_down_at_once_are_one(bucket: Bucket) -> None:
    for moment in (0.0, 0.1, 0.2):
        bucket.slow_down(NO_PAUSE, moment)

    assert most_within(bucket, 1.0) >= RATE / 2 * 0.7


def test_one_after_the_other_they_leave_little(bucket: Bucket) -> None:
    for second in range(20):
        bucket.slow_down(NO_PAUSE, float(second))

    assert bucket.free(20.0) <= RATE / 10


class TestOfManySources:
    def test_a_source_never_called_has_no_bucket_yet_and_may_make_the_first_calls(self) -> None:
        sources = Buckets(RATE)

        assert (sources.free(0.0), sources.first) == ({}, SAVED)

    def test_one_source_takes_nothing_from_another(self) -> None:
        sources = Buckets(RATE)
        sources.take(1, "eu-north-1", SAVED, 0.0)
        sources.take(2, "eu-north-1", 1, 0.0)

        assert sources.free(0.0) == {1: 0, 2: SAVED - 1}

    def test_another_region_counts_anew(self) -> None:
        sources = Buckets(RATE)
        sources.slow_down(1, "eu-north-1", timedelta(minutes=5), 0.0)
        sources.take(1, "eu-west-1", 1, 0.0)

        assert sources.free(0.0) == {1: SAVED - 1}

    def test_the_full_rate_is_back_a_minute_after_aws_asked(self) -> None:
        sources = Buckets(RATE)
        sources.slow_down(1, "eu-north-1", NO_PAUSE, 0.0)

        assert sources.free(buckets.RECOVERS_IN) == {1: SAVED}
