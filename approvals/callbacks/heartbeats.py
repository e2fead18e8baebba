"""Telling AWS "still waiting": the sweep. Rows are claimed and settled by `beats`.

They beat while the request can still be answered: pending, or decided and not yet
settled. The row goes with the wait: the outbox and the desk delete it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import Error

from approvals import turns
from approvals.callbacks import beats, circuit
from approvals.callbacks.beats import Beat, Told
from approvals.callbacks.buckets import Buckets
from approvals.callbacks.gateway import Answer, CallbackGateway
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, mend_connection, run
from approvals.clock import database_now
from approvals.states import Reply

#: Claimed and not yet settled, at most, in one sweep.
BATCH = 256
#: So many answers are settled at once, or those that came in so long.
SETTLED_TOGETHER = 64
GATHER = timedelta(milliseconds=250)
#: Threads of one sweep; more than any one source can hold.
THREADS = 64
#: Calls at once for a source that has not shown yet that it answers, and for one that has;
#: boto3 keeps as many connections (aws.py). 32 calls of 30 ms are a thousand a second,
#: more than a process can make.
PER_SOURCE = 8
WIDEST = 32
#: Beats that may be claimed for a source, for each of its lanes, beyond those on their way.
AHEAD = 3


def beat_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = THREADS
) -> Counter[str]:
    """Beat for every callback that is due until none is, or BUDGET is spent.

    Returns how often AWS gave which reply, and how many of these beats were sent "on_time"
    and how many "late": more than half an interval after they were due. So each beat
    counts twice. Nothing is done if two workers are beating: hanging sources may hold two
    of the places where tasks run, and no more.
    """
    with turns.turn(turns.BEAT) as mine, turns.stuck() as stuck:
        return _Sweep(gateway, stuck, threads).work(budget) if mine else Counter()


@lru_cache(maxsize=1)
def buckets() -> Buckets:
    """This process's; as many processes beat at once as there are turns."""
    return Buckets(settings.HEARTBEATS_PER_SECOND / len(turns.BEAT))


class _Sweep:
    def __init__(self, gateway: CallbackGateway, stuck: turns.Stuck, threads: int) -> None:
        self._stuck = stuck
        self._tally: Counter[str] = Counter()
        self._lanes: Lanes[Beat, Told] = Lanes(
            lambda beat: beats.send(gateway, beat),
            threads=threads,
            per_source=PER_SOURCE,
            widest=WIDEST,
        )

    def work(self, budget: timedelta) -> Counter[str]:
        shift = Shift(budget, room=BATCH, at_least=SETTLED_TOGETHER, gather=GATHER)
        run(
            self._lanes,
            shift,
            claim=self._claim,
            settle=self._settle,
            watch=self._watch,
            give_back=beats.give_back,
        )
        return self._tally

    def _claim(self, number: int, _crowded: Collection[int]) -> Sequence[Beat]:
        """At most NUMBER beats, of each source as many as it has lanes and tokens for."""
        now = database_now()
        ways = circuit.ways(now)
        beats.give_back(self._lanes.recall(ways.shut))
        quotas = self._room() | dict.fromkeys(ways.ajar, 1)
        quotas |= dict.fromkeys([*self._stuck.everywhere(), *ways.shut], 0)
        others = min(PER_SOURCE * (1 + AHEAD), buckets().first)
        due = beats.claim(number, now=now, quotas=quotas, others=others)
        through, back = circuit.let_through(due, ways, now=now)
        beats.give_back(back)
        _take(through)
        return through

    def _room(self) -> dict[int, int]:
        room = self._lanes.room(AHEAD)
        free = buckets().free(time.monotonic())
        most = dict.fromkeys(free, PER_SOURCE * (1 + AHEAD)) | room
        return {source: min(number, free.get(source, number)) for source, number in most.items()}

    def _settle(self, landed: Sequence[tuple[Beat, Told]]) -> None:
        try:
            beats.give_back([beat for beat, told in landed if told.is_unsent])
            landed = [(beat, told) for beat, told in landed if not told.is_unsent]
            now = database_now()
            left = beats.settle([(beat, told.answer) for beat, told in landed], now=now)
        except Error as error:
            mend_connection(error)
            self._lanes.try_again(landed)
            return
        self._lanes.try_again(pair for pair in landed if pair[0].request_id in left)
        for beat, told in landed:
            if beat.request_id in left:
                continue
            self._tally[str(told.answer.reply)] += 1
            self._tally["late" if told.is_late(beat.interval) else "on_time"] += 1
            circuit.heard(beat.source_id, told.answer, now=now)
            if _asks_to_slow_down(told.answer):
                _slow_down(beat, told.answer)

    def _watch(self, lanes: Lanes[Beat, Told]) -> None:
        self._stuck.tell(lanes.hanging)
        if lanes.are_jammed:  # another sweep may have threads for what waits here
            beats.give_back(lanes.recall())


def _take(claimed: Sequence[Beat]) -> None:
    now = time.monotonic()
    for (source_id, region), number in Counter(
        (beat.source_id, beat.address.region) for beat in claimed
    ).items():
        buckets().take(source_id, region, number, now)


def _asks_to_slow_down(answer: Answer) -> bool:
    """Whether AWS had nothing against the call but that it came too soon."""
    is_trouble = answer.applied_unknown or answer.needs_mending or answer.unreachable
    return answer.reply == Reply.UNAVAILABLE and (answer.retry_after is not None or not is_trouble)


def _slow_down(beat: Beat, answer: Answer) -> None:
    pause = answer.retry_after or timedelta(0)
    buckets().slow_down(beat.source_id, beat.address.region, pause, time.monotonic())
