"""Sources whose way to AWS is broken: since when, why in AWS's words, and the next try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils.translation import gettext_lazy

from approvals.models import CallbackSource, Circuit
from approvals.presentation.sentences import parted
from approvals.templatetags.prose import reworded

_PASSING = ("It is tried again.", "Whether it took the call is unknown; it is tried again.")
_CHECK = gettext_lazy("Check the source's region and endpoint, and the workers' network.")


@dataclass(frozen=True, slots=True)
class BrokenWay:
    """An open circuit in words. CODE: AWS's name for the trouble, or empty.

    ADVICE says what to do. NEXT_TRY is None where it is due this moment.
    """

    source: CallbackSource
    since: datetime
    code: str
    trouble: str
    advice: str
    next_try: datetime | None

    @classmethod
    def of(cls, circuit: Circuit, now: datetime) -> Self | None:
        """None where the way is open."""
        since, probe_at = circuit.opened_at, circuit.probe_at
        if since is None or probe_at is None:
            return None
        code, trouble, advice = _told(circuit.detail)
        next_try = probe_at if probe_at > now else None
        return cls(circuit.source, since, code, trouble, advice, next_try)


def broken_ways(sources: Iterable[CallbackSource], now: datetime) -> list[BrokenWay]:
    """Those of SOURCES that are not called at NOW but for a probe, broken longest first."""
    rows = Circuit.objects.filter(opened_at__isnull=False, source__in=sources)
    found = rows.select_related("source").order_by("opened_at", "pk")
    return [way for row in found if (way := BrokenWay.of(row, now))]


def _told(detail: str) -> tuple[str, str, str]:
    """DETAIL (callbacks/replies) as AWS's code, what happened, and what to do."""
    code, sentence = parted(detail)
    passing = sentence.endswith(_PASSING)
    trouble, stop, advice = reworded(sentence).partition(". ")
    if passing:
        return code, f"{trouble.rstrip('.')}.", str(_CHECK)
    if not stop:
        return code, trouble, str(_CHECK)
    return code, f"{trouble}.", advice
