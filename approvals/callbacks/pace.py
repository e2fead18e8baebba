"""How long to wait before saying it again. Pure but for chance, which may be given."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from approvals.callbacks.gateway import Answer
from approvals.states import Reply

BACKOFF_BASE = timedelta(seconds=1)
BACKOFF_CAP = timedelta(minutes=5)

#: What an operator has to mend is tried at this pace: often enough to be seen mended,
#: too seldom to hurt anybody.
MENDING_PAUSE = timedelta(minutes=1)

Chance = Callable[[], float]  # 0 <= chance() < 1
_random = random.SystemRandom().random


def backoff(attempt: int, *, chance: Chance = _random) -> timedelta:
    """Full jitter: anything up to 1 s after the first attempt, doubling up to 5 min.

    ATTEMPT counts from 1.
    """
    return chance() * min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 16))


def jittered(pause: timedelta, *, chance: Chance = _random) -> timedelta:
    """PAUSE, up to a tenth shorter or longer, so that what began together spreads out."""
    return pause * (0.9 + 0.2 * chance())


def after(answer: Answer, attempt: int, *, chance: Chance = _random) -> timedelta:
    """How long an unavailable AWS is left alone after ATTEMPT got ANSWER."""
    if answer.needs_mending:
        return jittered(MENDING_PAUSE, chance=chance)
    return max(backoff(attempt, chance=chance), answer.retry_after or timedelta(0))


def after_missed_beat(interval: timedelta, misses: int, answer: Answer) -> timedelta:
    """When to beat again after MISSES in a row, the last for ANSWER; never beyond INTERVAL.

    A quarter of it after the first, slower after each.
    """
    if answer.reply == Reply.REFUSED:
        return jittered(interval)
    soon = interval / 4 * min(misses, 4)
    return min(max(soon, answer.retry_after or timedelta(0)), interval)
