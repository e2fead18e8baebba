"""Looking at executions, so that "resumed" is a fact somebody saw. What is seen, the desk notes.

GetDurableExecution allows 30 calls a second for a whole account: one worker looks at a
time, at most LOOKS_PER_SECOND for one source, sources in turn. Soon after an answer was
delivered, then ever more seldom, but at every RECONCILE_INTERVAL while people are asked;
where there are more such executions than the rate affords, each in its turn and as often
as it does (models.reconcile says how often that is). What is opened for an execution
known as ended is withdrawn without asking.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from approvals import doorbell, turns
from approvals.callbacks import pace, replies
from approvals.callbacks.gateway import Address, Answer, CallbackGateway, Sighting
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, run
from approvals.callbacks.rounds import Rounds, heard, keep_pace
from approvals.clock import database_now
from approvals.lifecycle.executions import Seen, see
from approvals.models import Execution, ExecutionHistory
from approvals.models.sql import Prepared
from approvals.states import TERMINAL_STATUSES, Reply, RequestState

FIRST_LOOK = timedelta(seconds=1)
#: Where nobody is asked any more, a look an hour is enough.
IDLE_PAUSE = timedelta(hours=1)
#: What an answer changes stands in the history a moment later.
HISTORY_LAGS = timedelta(seconds=2)
#: Whoever comes for a bell waits for the look that the bell announced.
LINGER = timedelta(seconds=1.5)
#: An execution AWS does not know (404 is normal just after the start) is looked for
#: this often, about half an hour, and then no more.
LOOKS_FOR_UNKNOWN = 15

_TERMINAL = ", ".join(f"'{status}'" for status in sorted(TERMINAL_STATUSES))

Landed = Sequence[tuple[Execution, Sighting]]


# One statement, as every answer settled takes it. What has ended is not looked at again; its
# history is read in any case, later than the answer that is to stand in it.
_LOOK_SOON = Prepared(f"""
    WITH behind AS (
        SELECT e.id, e.status FROM approvals_approvalrequest r
          JOIN approvals_execution e ON e.id = r.execution_id
         WHERE r.id = %(request)s::bigint
    ), looked AS (
        UPDATE approvals_execution e SET next_look_at = %(look_at)s, looks = 0 FROM behind
         WHERE e.id = behind.id AND e.status NOT IN ({_TERMINAL})
        RETURNING e.id
    ), wished AS (
        INSERT INTO approvals_executionhistory AS h
               (execution_id, steps, is_whole, next_read_at, reads, trouble)
        SELECT id, '[]', true, %(read_at)s, 0, '' FROM behind
        ON CONFLICT (execution_id) DO UPDATE
           SET next_read_at = least(h.next_read_at, excluded.next_read_at), reads = 0
    )
    SELECT (SELECT count(*) FROM behind) > 0, (SELECT count(*) FROM looked) > 0
""")  # noqa: S608  # nosec B608


def look_soon(request_id: int, *, now: datetime) -> bool:
    """Look at the execution of a request whose wait just ended, quickly and from anew.

    Inside the caller's transaction. False if no execution of it is known.
    """
    times = {"look_at": now + FIRST_LOOK, "read_at": now + HISTORY_LAGS}
    row = _LOOK_SOON.row(request=request_id, **times)
    is_known, is_looked_at = row or (False, False)
    if is_looked_at:
        doorbell.ring(doorbell.LOOK_AT_EXECUTIONS)
    return bool(is_known)


def look_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 4
) -> Counter[str]:
    """Look at the executions that are due until none is, or BUDGET is spent.

    Returns how often which status was seen ("unseen" counts looks without one), and how
    often AWS gave which reply. Nothing is done if another worker is looking.
    """
    tally: Counter[str] = Counter()
    rounds = Rounds()

    def settle_landed(landed: Landed) -> None:
        for execution, sighting in landed:
            tally[sighting.status or "unseen"] += 1
            tally[str(sighting.answer.reply)] += 1
            settle(execution, sighting, now=database_now())
            heard(execution.source_id, sighting.answer, now=database_now())

    with turns.turn(turns.LOOK) as mine:
        if mine:
            lanes: Lanes[Execution, Sighting] = Lanes(
                lambda row: _look(gateway, row), threads=threads, per_source=1
            )
            run(
                lanes,
                Shift(budget, room=threads, linger=LINGER),
                claim=lambda _, crowded: claim(now=database_now(), crowded=crowded, rounds=rounds),
                settle=settle_landed,
            )
    return tally


@transaction.atomic(durable=True)
def claim(
    *, now: datetime, crowded: Collection[int] = (), rounds: Rounds | None = None
) -> list[Execution]:
    """Take an execution that is due, of the source whose turn it is; put off its next look.

    One at a time, so that a source is crowded before its second. Every other time it is the
    one looked at least often, and else the one that has waited longest: news is seen
    quickly, and a crowd of newcomers keeps nobody waiting for ever.
    """
    rounds = rounds or Rounds()
    due = Execution.objects.filter(next_look_at__lte=now).exclude(source__in=list(crowded))
    newest_first = rounds.toss()
    for source in rounds.sources(due.values_list("source", flat=True).distinct(), now=now):
        order = ("looks", "next_look_at") if newest_first else ("next_look_at",)
        execution = (
            due.filter(source=source)
            .select_related("source")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
            .order_by(*order)
            .first()
        )
        if execution and rounds.serve(execution, now=now):
            execution.looks += 1
            execution.next_look_at = now + _pause(execution)
            execution.save(update_fields=["looks", "next_look_at"])
            return [execution]
    return []


def _pause(execution: Execution) -> timedelta:
    """1 s, 2 s, 4 s … up to what somebody who waits for it, or AWS, can be asked to bear."""
    if execution.trouble:
        patience = pace.BACKOFF_CAP
    elif execution.requests.filter(state=RequestState.PENDING).exists():
        patience = settings.RECONCILE_INTERVAL * 0.8  # jitter and the sweep's rhythm come on top
    else:
        patience = IDLE_PAUSE
    return pace.jittered(min(FIRST_LOOK * 2.0 ** min(execution.looks - 1, 16), patience))


def _look(gateway: CallbackGateway, execution: Execution) -> Sighting:
    if execution.has_ended:  # due again because a request came after the end: nothing to ask
        return Sighting(Answer(Reply.ACCEPTED), execution.status)
    began = time.monotonic()
    try:
        sighting = gateway.look(Address.of(execution.source), execution.arn)
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        sighting = Sighting(
            replies.unknown(type(error).__name__, gettext_noop("The portal failed to look."))
        )
    keep_pace(began, settings.LOOKS_PER_SECOND)
    return sighting


def settle(looked: Execution, sighting: Sighting, *, now: datetime) -> None:
    """Record a SIGHTING; an execution that ended takes its pending requests with it."""
    if not sighting.status:
        _note_unseen(looked, sighting)
        return
    news = Seen(sighting.status, now, sighting.started_at, sighting.ended_at)
    see(looked, news, now=now)
    if looked.looks == 1:  # newly opened, or newly answered
        ExecutionHistory.objects.read_soon(looked.pk, at=now)


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
