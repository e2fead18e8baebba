"""Looking at executions, so that "resumed" is a fact somebody saw. What is seen, the desk notes.

GetDurableExecution allows 30 calls a second for a whole account: one worker looks at a
time, at most five times a second for one source, soon after an answer was delivered
and ever more seldom while nothing changes. A terminal status is never left again, and
what is opened for an execution known as ended is withdrawn without asking.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from approvals import doorbell
from approvals.callbacks import pace, replies, turns
from approvals.callbacks.gateway import Address, Answer, CallbackGateway, Sighting
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, run
from approvals.clock import database_now
from approvals.lifecycle.executions import Seen, see
from approvals.models import Execution
from approvals.states import TERMINAL_STATUSES, Reply

#: A lane is held this long, and each source has one: five looks a second.
SPACING = timedelta(milliseconds=200)
FIRST_LOOK = timedelta(seconds=1)
#: Whoever comes for a bell waits for the look that the bell announced.
LINGER = timedelta(seconds=1.5)
#: An execution AWS does not know (404 is normal just after the start) is looked for
#: this often, about half an hour, and then no more.
LOOKS_FOR_UNKNOWN = 15

Landed = Sequence[tuple[Execution, Sighting]]


def look_soon(request_id: int, *, now: datetime) -> None:
    """Look at the execution of a request whose wait just ended, quickly and from anew.

    Inside the caller's transaction.
    """
    looked = (
        Execution.objects.filter(requests=request_id)
        .exclude(status__in=TERMINAL_STATUSES)
        .update(next_look_at=now + FIRST_LOOK, looks=0)
    )
    if looked:
        doorbell.ring(doorbell.LOOK_AT_EXECUTIONS)


def look_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 4
) -> Counter[str]:
    """Look at the executions that are due until none is, or BUDGET is spent.

    Returns how often which status was seen; "unseen" counts looks without one. Nothing
    is done if another worker is looking.
    """
    tally: Counter[str] = Counter()

    def settle_landed(landed: Landed) -> None:
        for execution, sighting in landed:
            tally[sighting.status or "unseen"] += 1
            settle(execution, sighting, now=database_now())

    with turns.turn(turns.LOOK) as mine:
        if mine:
            lanes: Lanes[Execution, Sighting] = Lanes(
                lambda row: _look(gateway, row), threads=threads, per_source=1
            )
            run(
                lanes,
                Shift(budget, room=threads, linger=LINGER),
                claim=lambda _, crowded: claim(now=database_now(), crowded=crowded),
                settle=settle_landed,
            )
    return tally


@transaction.atomic(durable=True)
def claim(*, now: datetime, crowded: Collection[int] = ()) -> list[Execution]:
    """Take the execution looked at least often among those due, and put off its next look.

    One at a time, so that a source is crowded before its second.
    """
    execution = (
        Execution.objects.filter(next_look_at__lte=now)
        .exclude(source__in=list(crowded))
        .select_related("source")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("looks", "next_look_at")
        .first()
    )
    if execution is None:
        return []
    execution.looks += 1
    execution.next_look_at = now + _pause(execution.looks)
    execution.save(update_fields=["looks", "next_look_at"])
    return [execution]


def _pause(looks: int) -> timedelta:
    """1 s, 2 s, 4 s … up to 5 min between looks."""
    return pace.jittered(min(FIRST_LOOK * 2.0 ** min(looks - 1, 16), pace.BACKOFF_CAP))


def _look(gateway: CallbackGateway, execution: Execution) -> Sighting:
    if execution.has_ended:  # due again because a request came after the end: nothing to ask
        return Sighting(Answer(Reply.ACCEPTED), execution.status)
    began = time.monotonic()
    try:
        sighting = gateway.look(Address.of(execution.source), execution.arn)
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        sighting = Sighting(replies.unknown(type(error).__name__, "The portal failed to look."))
    time.sleep(max(0.0, SPACING.total_seconds() - (time.monotonic() - began)))
    return sighting


def settle(looked: Execution, sighting: Sighting, *, now: datetime) -> None:
    """Record a SIGHTING; an execution that ended takes its pending requests with it."""
    if not sighting.status:
        _note_unseen(looked, sighting)
        return
    news = Seen(sighting.status, now, sighting.started_at, sighting.ended_at)
    see(looked, news, now=now)


@transaction.atomic(durable=True)
def _note_unseen(looked: Execution, sighting: Sighting) -> None:
    execution = Execution.objects.select_for_update(no_key=True).get(pk=looked.pk)
    if execution.has_ended:  # an event was faster
        return
    reply = sighting.answer.reply
    hopeless = reply == Reply.REFUSED or (
        reply == Reply.CLOSED and execution.looks >= LOOKS_FOR_UNKNOWN
    )
    execution.trouble = sighting.answer.detail[:200]
    if hopeless:
        execution.next_look_at = None
    execution.save(update_fields=["trouble", "next_look_at"])
