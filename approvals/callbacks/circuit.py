"""A circuit for each source: one whose calls all fail is left alone but for a probe now and then.

    closed --FAILURES_TO_OPEN in a row--> open --an answer that shows the way--> closed
                                           | ^
                                           '-+ one probe, then PROBE_PAUSE

It spares threads, lanes and AWS; nothing is lost by it, as whatever is due stays due. Only
trouble of the source's own way counts (`Answer.unreachable`): not that AWS asks to slow
down, nor what it says of one callback. While nothing is wrong it costs no statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import connection
from django.db.models import F

from approvals import doorbell
from approvals.callbacks import pace
from approvals.callbacks.gateway import Answer
from approvals.clock import database_now
from approvals.models import CallbackDelivery, Circuit
from approvals.states import DeliveryState, Reply

FAILURES_TO_OPEN = 3
FIRST_PROBE_AFTER = timedelta(seconds=5)
#: From the start of one probe to the next. Even a tenth shorter it is longer than any
#: call (gateway.CALL_LIMIT), so that one probe has ended before the next begins.
PROBE_PAUSE = timedelta(seconds=30)
#: An answer owed to AWS goes before a heartbeat as the probe, if it is found that soon.
ANSWERS_FIRST_FOR = timedelta(seconds=30)

Row = TypeVar("Row")  # with a source_id

#: Sources that lately had trouble, as far as this process knows: only of them an answer
#: from AWS is worth a statement. Each look at the circuits brings it up to date.
_troubled: set[int] = set()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ways:
    """Sources whose circuit is open: SHUT are not to be called, AJAR have a probe due."""

    shut: list[int]
    ajar: list[int]


def ways(now: datetime) -> Ways:
    """Which ways are open at NOW; one statement over a row for each troubled source."""
    rows = Circuit.objects.filter(failures__gt=0).values_list("source", "probe_at")
    probes = dict(rows)
    _troubled.clear()
    _troubled.update(probes)
    open_ = {source: due for source, due in probes.items() if due is not None}
    return Ways(
        shut=[source for source, due in open_.items() if due > now],
        ajar=[source for source, due in open_.items() if due <= now],
    )


def broken(now: datetime) -> list[int]:
    """The sources that must not be called at NOW: not yet due for a probe, or being probed.

    Of one that is due, a single call may be made, by whoever has `take_probe`.
    """
    return ways(now).shut


def take_probe(source_id: int, *, now: datetime) -> bool:
    """Whether the caller, and nobody else, may make one call for SOURCE_ID at NOW."""
    due = Circuit.objects.filter(source=source_id, probe_at__lte=now)
    pause = pace.jittered(PROBE_PAUSE)
    return due.update(probe_at=now + pause, probes=F("probes") + 1) == 1


def let_through(rows: Sequence[Row], found: Ways, *, now: datetime) -> tuple[list[Row], list[Row]]:
    """Divide ROWS, claimed after FOUND, into those to send and those to give back.

    Of a source with a probe due one row is sent, if the probe can be had and no answer
    to AWS waits for it: beats and looks come second.
    """
    through: list[Row] = []
    back: list[Row] = []
    closed, probed = {*found.shut, *found.ajar}, set(found.shut)
    for row in rows:
        source: int = row.source_id  # type: ignore[attr-defined]
        may_go = source not in closed
        if not may_go and source not in probed:
            probed.add(source)
            may_go = not _answer_waits(source, now) and take_probe(source, now=now)
        (through if may_go else back).append(row)
    return through, back


def _answer_waits(source_id: int, now: datetime) -> bool:
    due = CallbackDelivery.objects.filter(source=source_id, state=DeliveryState.PENDING)
    return due.filter(
        next_attempt_at__gt=now - ANSWERS_FIRST_FOR, next_attempt_at__lte=now
    ).exists()


def remember(source_id: int) -> None:
    """SOURCE_ID has lately had trouble: its next good answer is worth writing down."""
    _troubled.add(source_id)


def heard(source_id: int, answer: Answer, *, now: datetime | None = None) -> None:
    """Draw the conclusion from the ANSWER to a settled call, in a statement of its own.

    Without trouble, past or present, nothing is read or written. NOW is the database's
    clock unless given.
    """
    if answer.unreachable:
        _note_trouble(source_id, answer, now or database_now())
    elif source_id in _troubled and _shows_the_way(answer):
        _note_way(source_id)


def _shows_the_way(answer: Answer) -> bool:
    """Whether AWS itself answered; an error of its own or of the portal proves nothing."""
    if answer.reply != Reply.UNAVAILABLE or answer.of_one_function:
        return True
    return not (answer.applied_unknown or answer.needs_mending)


def _note_trouble(source_id: int, answer: Answer, now: datetime) -> None:
    remember(source_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO approvals_circuit AS c (source_id, failures, probes, detail)
            VALUES (%(source)s, 1, 0, %(detail)s)
            ON CONFLICT (source_id) DO UPDATE SET
                failures = c.failures + 1,
                detail = excluded.detail,
                opened_at = CASE WHEN c.failures + 1 >= %(most)s
                                 THEN coalesce(c.opened_at, %(now)s) END,
                probe_at = CASE WHEN c.failures + 1 >= %(most)s
                                THEN coalesce(c.probe_at, %(probe)s) END
            RETURNING failures, opened_at = %(now)s AND failures = %(most)s
            """,
            {
                "source": source_id,
                "detail": answer.detail[:300],
                "most": FAILURES_TO_OPEN,
                "now": now,
                "probe": now + pace.jittered(FIRST_PROBE_AFTER),
            },
        )
        failures, opened = cursor.fetchone()
    if opened:
        _log("circuit_opened", source_id, failures=failures, detail=answer.detail)


def _note_way(source_id: int) -> None:
    _troubled.discard(source_id)
    had_opened = Circuit.objects.filter(source=source_id, opened_at__isnull=False)
    fresh = {"failures": 0, "opened_at": None, "probe_at": None, "probes": 0, "detail": ""}
    if had_opened.update(**fresh):
        _log("circuit_closed", source_id)
        doorbell.ring(doorbell.DELIVER_CALLBACKS)  # what has waited for this is due
        doorbell.ring(doorbell.SEND_HEARTBEATS)
    else:
        Circuit.objects.filter(source=source_id, failures__gt=0).update(**fresh)


def _log(event: str, source_id: int, **facts: object) -> None:
    circuit = Circuit.objects.select_related("source").get(pk=source_id)
    log.warning(event, source=circuit.source.slug, **facts)
