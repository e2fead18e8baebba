"""Writing checkpoints: a sweep seals the lines that have come since the last one.

Keys are drawn before they are committed, so a line may appear below one that is there
already. A checkpoint may cover only what is certain, as no line may join it afterwards. So
the sweep looks who is writing history at this moment (whoever has drawn a key holds a lock
on the table until the end), waits for those to end, and seals up to the key it saw before.
Nobody who writes waits for it.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from approvals import turns
from approvals.models import AuditCheckpoint, AuditEvent

log = structlog.get_logger(__name__)

#: Lines under one checkpoint: few enough to be read in one statement.
LINES = 10_000
#: Who writes history is done in milliseconds; whoever is not makes it wait for the next sweep.
PATIENCE = timedelta(seconds=3)
BUDGET = timedelta(seconds=15)
_PAUSE_SECONDS = 0.02

# Whoever inserts takes this lock before the key is drawn, and keeps it to the end.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
     WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND relation = 'approvals_auditevent'::regclass AND pid <> pg_backend_pid()"""

_SPAN = """
    SELECT count(*), max(id), sha256(coalesce(string_agg(mac, ''::bytea ORDER BY id), ''))
      FROM (SELECT id, mac FROM approvals_auditevent
             WHERE id > %s AND id <= %s ORDER BY id LIMIT %s) span"""


def seal_due(*, now: datetime, patience: timedelta = PATIENCE, budget: timedelta = BUDGET) -> int:
    """Seal what history has gained; return how many lines were sealed at NOW.

    Costs what was gained and nothing for what is sealed already. Safe to run at the same
    time as itself: the second finds the turn taken, or nothing left.
    """
    last = AuditCheckpoint.objects.last_of_all()
    top = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if top <= (last.last_event_id if last else 0) or not _settled(patience):
        return 0
    end, sealed = time.monotonic() + budget.total_seconds(), 0
    while time.monotonic() < end and (lines := _seal_some(top, now)):
        sealed += lines
    return sealed


def _settled(patience: timedelta) -> bool:
    """Wait until those who write history now have ended; False if PATIENCE runs out."""
    end = time.monotonic() + patience.total_seconds()
    writers = _writers()
    while writers and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)
        writers &= _writers()
    return not writers


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS)
        return {row[0] for row in cursor.fetchall()}


@transaction.atomic(durable=True)
def _seal_some(top: int, now: datetime) -> int:
    """Write the next checkpoint, over lines up to TOP; return over how many, 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [turns.SEAL])
        if not cursor.fetchone()[0]:
            return 0
        former = AuditCheckpoint.objects.last_of_all()
        cursor.execute(_SPAN, [former.last_event_id if former else 0, top, LINES])
        events, last_id, digest = cursor.fetchone()
    if not events:
        return 0
    checkpoint = AuditCheckpoint.after(former, last_id, events=events, sha256=bytes(digest), at=now)
    checkpoint.save(force_insert=True)
    # In a log that is kept elsewhere, it bears witness even against who rewrites the database.
    log.info("history_sealed", checkpoint=checkpoint.pk, lines=events, mac=checkpoint.mac.hex())
    return int(events)
