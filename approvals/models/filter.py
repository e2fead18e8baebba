"""Which requests of a list are left. What a filter asks must stay cheap at any size.

The deadline is a stretch of the very index a list walks. All else stands in the request's
own row and is looked at one by one, among the nearest WINDOW of the list and no further: a
page says so and leads on to the next WINDOW.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from approvals.models.listing import COUNT_LIMIT
from approvals.models.words import Words, tidy

#: So many of the nearest are looked at for one page.
WINDOW = COUNT_LIMIT
HIGH_RISK, SOME_RISK = 70, 40  # points of 100

_SLUG = re.compile(r"[-\w]{1,100}\Z")


class Due(models.TextChoices):
    """Where the nearest deadline lies; days end where the reader's time zone ends them."""

    OVERDUE = "overdue", gettext_lazy("Overdue")
    TODAY = "today", gettext_lazy("Due today")
    LATER = "later", gettext_lazy("Due later")


class Risk(models.TextChoices):
    # The words repeat HIGH_RISK and SOME_RISK: a sentence with numbers in it cannot be lazy.
    HIGH = "high", gettext_lazy("High risk (70 and more)")
    SOME = "some", gettext_lazy("Some risk (40 to 69)")
    LOW = "low", gettext_lazy("Low risk (below 40)")
    UNKNOWN = "unknown", gettext_lazy("No risk given")


class Sort(models.TextChoices):
    """In which order, but for the nearest deadline first. By when they came in."""

    NEWEST = "newest", gettext_lazy("Newest first")
    OLDEST = "oldest", gettext_lazy("Oldest first")


_DAY_ENDS = "date_trunc('day', now(), %(zone)s) + interval '1 day'"
_DUE = {
    Due.OVERDUE: "{at} < now()",
    Due.TODAY: f"{{at}} >= now() AND {{at}} < {_DAY_ENDS}",
    Due.LATER: f"{{at}} >= {_DAY_ENDS}",
}
_RISK = {
    Risk.HIGH: f"coalesce(r.risk_score >= {HIGH_RISK}, false)",
    Risk.SOME: f"coalesce(r.risk_score BETWEEN {SOME_RISK} AND {HIGH_RISK - 1}, false)",
    Risk.LOW: f"coalesce(r.risk_score < {SOME_RISK}, false)",
    Risk.UNKNOWN: "r.risk_score IS NULL",
}


@dataclass(frozen=True)
class Filter:
    """Slugs of a kind and a source, a Risk and a Due, and Q, what is searched for; what is
    empty leaves everything. A Sort orders what is left, nearest deadline first without one.

    Raises:
        ValueError: a word that is none of these.
    """

    kind: str = ""
    source: str = ""
    risk: str = ""
    due: str = ""
    q: str = ""
    sort: str = ""

    def __post_init__(self) -> None:
        if not all(_SLUG.match(slug) for slug in (self.kind, self.source) if slug):
            raise ValueError("There is no kind or source of this name.")
        if self.risk:
            Risk(self.risk)
        if self.due:
            Due(self.due)
        if self.sort:
            Sort(self.sort)

    @classmethod
    def named(cls, words: Mapping[str, Any]) -> Self:
        """The filter that WORDS of an address name; ValueError as above."""
        named = {f.name: str(words.get(f.name) or "") for f in fields(cls)}
        return cls(**named | {"q": tidy(named["q"])})

    @property
    def words(self) -> dict[str, str]:
        return {name: word for name, word in asdict(self).items() if word}

    @property
    def looks_inside(self) -> bool:
        """Whether rows of the request are looked at, and so only WINDOW of them."""
        return bool(self.kind or self.source or self.risk or self.q or self.sort)

    @cached_property
    def searched(self) -> Words:
        """What Q comes to; none where nothing in it can be looked for."""
        return Words.of(self.q)

    @property
    def is_vain(self) -> bool:
        """Whether something is searched for that holds no word."""
        return bool(self.q) and not self.searched

    def on_way(self, at: str) -> str:
        """SQL: AND … for a walk along the deadlines AT."""
        return f" AND {_DUE[Due(self.due)].format(at=at)}" if self.due else ""

    def inside(self, *, due: bool = False) -> str:
        """SQL: AND … for rows `a` with a request_id; DUE where no walk has seen to that."""
        asked = []
        if self.kind:
            asked.append(
                "r.kind_id = (SELECT k.id FROM approvals_requestkind k WHERE k.slug = %(kind)s)"
            )
        if self.source:
            asked.append(
                "r.source_id = (SELECT s.id FROM approvals_callbacksource s"
                " WHERE s.slug = %(source)s)"
            )
        if self.risk:
            asked.append(_RISK[Risk(self.risk)])
        if due and self.due:
            asked.append(_DUE[Due(self.due)].format(at="r.queue_at"))
        if not asked:
            return ""
        return (
            f" AND (SELECT {' AND '.join(asked)}"  # noqa: S608  # nosec B608  our own texts
            " FROM approvals_approvalrequest r WHERE r.id = a.request_id)"
        )

    @property
    def values(self) -> dict[str, str]:
        return {
            "kind": self.kind,
            "source": self.source,
            "zone": timezone.get_current_timezone_name(),
        }


#: Leaves everything.
EVERYTHING = Filter()
