"""Moments and lists of names inside sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.locales import here


def clock(moment: datetime) -> str:
    """`14:30:11`, in the reader's zone, with the day where it is not today."""
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    if today:
        return f"{local:%H:%M:%S}"
    day = here().weekday_and_date(local)
    return _("%(time)s on %(day)s") % {"time": f"{local:%H:%M:%S}", "day": day}


def of_group(approvals: int, group: str) -> str:
    """`2 of Finance`."""
    return _("%(count)s of %(group)s") % {"count": approvals, "group": group}


def listed_names(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def one_of_names(names: Sequence[str]) -> str:
    """`A`, `A or B`, `A, B or C`."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s or %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
