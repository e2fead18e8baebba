"""The waiting run: which function, and whether its callback is kept alive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.locales import here
from approvals.models import ApprovalRequest, Heartbeat

#: The length of a beat's version, the end of its panel's.
BEAT_WORD = 8


@dataclass(frozen=True, slots=True)
class Run:
    """The execution's ARN taken apart; a part is empty where the ARN has none."""

    arn: str
    function: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the promise to say "still waiting" stands. STATE is alive, starting,
    late (nothing was sent in time) or unheard (AWS has not taken what was sent since)."""

    state: str
    last: datetime | None
    next: datetime
    silence: timedelta
    trouble: str
    beats: int
    misses: int

    @property
    def is_late(self) -> bool:
        return self.state == "late"

    @property
    def told(self) -> str:
        """How many beats AWS took, and how many tries it has not taken since, in words."""
        missed = ngettext(
            "%(count)s try since did not reach it.",
            "%(count)s tries in a row did not reach it.",
            self.misses,
        ) % {"count": here().whole(self.misses)}
        if not self.beats:
            words = _("AWS has taken no beat yet.")
        else:
            words = ngettext(
                "AWS took %(count)s beat, drawn as a peak.",
                "AWS took %(count)s beats; each peak is one of the last.",
                self.beats,
            ) % {"count": here().whole(self.beats)}
        return f"{words} {missed}" if self.misses else words


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
    heard = "alive" if beat.last_beat_at else "starting"
    state = "late" if late else "unheard" if beat.misses else heard
    silence = timedelta(seconds=request.heartbeat_timeout_seconds)
    return Pulse(
        state,
        beat.last_beat_at,
        beat.next_beat_at,
        silence,
        beat.trouble,
        beats=beat.beats,
        misses=beat.misses,
    )


def beat_version(beat: Heartbeat | None, now: datetime) -> str:
    """A word that changes with every beat, and when one is late."""
    if beat is None:
        told: list[object] = []
    else:
        told = [beat.beats, beat.misses, beat.last_beat_at, beat.next_beat_at, beat.is_late(now)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:BEAT_WORD]
