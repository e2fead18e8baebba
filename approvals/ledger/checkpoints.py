"""Checkpoints hold: no history lost its end, and none is gone with its request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from approvals import doorbell
from approvals.ledger.scope import Scope
from approvals.ledger.violation import check
from approvals.models import AuditCheckpoint, AuditEvent, SweepMark

#: A line this much older than the last sweep has been sealed, unless a checkpoint is gone:
#: a sweep leaves alone only what was written a moment ago.
LATEST_SEAL = timedelta(minutes=10)

_SEALS = "SELECT id, mac FROM approvals_auditevent WHERE id <= %(last)s ORDER BY id"


@check
def checkpoints_hold(_scope: Scope) -> Iterator[tuple[object, str]]:
    """No checkpoint was changed or taken out from among the others; each was signed."""
    former = None
    for checkpoint in AuditCheckpoint.objects.order_by("pk").iterator(chunk_size=500):
        if not checkpoint.follows(former):
            yield _name(checkpoint), "it was changed, or the one before it is gone."
        former = checkpoint


@check
def sealed_lines_are_there(scope: Scope) -> Iterator[tuple[object, str]]:
    """Every line that was there when a checkpoint was signed is still there, unchanged."""
    last = AuditCheckpoint.objects.last_of_all()
    seals = scope.rows(_SEALS, last=last.last_event_id if last else 0)
    ahead = next(seals, None)
    for checkpoint in AuditCheckpoint.objects.order_by("pk").iterator(chunk_size=500):
        events, digest = 0, hashlib.sha256()
        while ahead and ahead[0] <= checkpoint.last_event_id:
            events += 1
            digest.update(ahead[1])
            ahead = next(seals, None)
        if (events, digest.digest()) != (checkpoint.events, bytes(checkpoint.sha256)):
            yield _name(checkpoint), _lost(checkpoint, events)


@check
def nothing_is_left_unsealed(_scope: Scope) -> Iterator[tuple[object, str]]:
    """The last checkpoint is there: what a sweep would have sealed is sealed."""
    last = AuditCheckpoint.objects.last_of_all()
    swept = SweepMark.objects.filter(name=doorbell.SEAL_HISTORY).first()
    unsealed = AuditEvent.objects.filter(pk__gt=last.last_event_id if last else 0)
    oldest = unsealed.order_by("pk").values_list("at", flat=True).first()
    if swept and oldest and oldest < swept.finished_at - LATEST_SEAL:
        yield "checkpoints", _gone(oldest, swept.finished_at)


def _name(checkpoint: AuditCheckpoint) -> str:
    return f"checkpoint {checkpoint.pk}"


def _lost(checkpoint: AuditCheckpoint, events: int) -> str:
    span = f"{checkpoint.first_event_id} to {checkpoint.last_event_id}"
    if events == checkpoint.events:
        return f"among the lines {span} of all histories, some were changed."
    return f"of {checkpoint.events} lines of history ({span}), {events} are there."


def _gone(oldest: datetime, swept: datetime) -> str:
    return (
        f"lines since {oldest:%Y-%m-%d %H:%M:%S} have none, though a sweep came by at "
        f"{swept:%Y-%m-%d %H:%M:%S}: the last ones are gone."
    )
