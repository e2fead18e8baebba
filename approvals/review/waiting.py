"""The waiting run: which function, and whether its callback is kept alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.models import ApprovalRequest, Heartbeat


@dataclass(frozen=True, slots=True)
class Run:
    """The execution's ARN taken apart; a part is empty where the ARN has none."""

    arn: str
    function: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the promise to say "still waiting" stands. STATE is alive, late or starting."""

    state: str
    last: datetime | None
    next: datetime
    silence: timedelta
    trouble: str


def run_of(request: ApprovalRequest) -> Run | None:
    if request.execution is None:
        return None
    arn = request.execution.arn
    parts = arn.split("/", 1)[0].split(":")
    if len(parts) < 7 or parts[0] != "arn":
        return Run(arn, "", request.execution.name, request.source.region)
    return Run(arn, ":".join(parts[6:]), request.execution.name, f"{parts[3]} / {parts[4]}")


def pulse_of(request: ApprovalRequest, now: datetime) -> Pulse | None:
    """None where the callback needs no heartbeat, or no longer does."""
    beat: Heartbeat | None = getattr(request, "heartbeat", None)
    if beat is None or not request.is_pending:
        return None
    late = beat.is_late(now)
    state = "late" if late else "alive" if beat.last_beat_at else "starting"
    silence = timedelta(seconds=request.heartbeat_timeout_seconds)
    return Pulse(state, beat.last_beat_at, beat.next_beat_at, silence, beat.trouble)
