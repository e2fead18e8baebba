"""Moments and lists of names inside sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone


def clock(moment: datetime) -> str:
    """`14:30:11`, in the portal's zone, with the day where it is not today."""
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return (
        f"{local:%H:%M:%S}" if today else f"{local:%H:%M:%S} on {local:%a} {local.day} {local:%b}"
    )


def listed_names(names: Sequence[str], *, joined: str = "and") -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joined} {names[-1]}"
