"""How dates, numbers and money are written in the language of whoever reads.

Words come from the catalogues (gettext); what is no word stands here. The language is the one
that is active: a page's is its reader's, a mail's its recipient's; programs, logs and whatever
is written down have none, and are in English.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: Words that are known now, or once somebody reads them.
Words: TypeAlias = "str | _StrPromise"


@dataclass(frozen=True, slots=True, eq=False)
class Locale:
    """One language's ways. The patterns are for str.format, with the names `_written` gives."""

    decimal: str
    group: str
    #: Whether a currency stands behind its amount.
    currency_behind: bool
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    short_pattern: str
    short_with_year_pattern: str
    weekday_pattern: str
    weekday_short_pattern: str
    full_pattern: str
    weekday_long_pattern: str
    long_pattern: str

    def short_date(self, local: date) -> str:
        """`18 Nov`, for a day of this year."""
        return _written(self, self.short_pattern, local.year, local.month, local.day)

    def short_date_with_year(self, local: date) -> str:
        """`18 Nov 2025`."""
        return _written(self, self.short_with_year_pattern, local.year, local.month, local.day)

    def weekday_and_time(self, local: datetime) -> str:
        """`Mon 09:00`, for one of the next days."""
        day = _written(self, self.weekday_pattern, local.year, local.month, local.day)
        return f"{day} {local:%H:%M}"

    def weekday_and_date(self, local: date) -> str:
        """`Fri 20 Nov`."""
        return _written(self, self.weekday_short_pattern, local.year, local.month, local.day)

    def full_date(self, local: date) -> str:
        """`Fri 20 Nov 2026`."""
        return _written(self, self.full_pattern, local.year, local.month, local.day)

    def weekday_and_long_date(self, local: date) -> str:
        """`Friday 20 November 2026`."""
        return _written(self, self.weekday_long_pattern, local.year, local.month, local.day)

    def long_date(self, local: date) -> str:
        """`20 November 2026`."""
        return _written(self, self.long_pattern, local.year, local.month, local.day)

    def whole(self, number: int) -> str:
        """`10,000`."""
        return f"{number:,}".replace(",", self.group)

    def number(self, text: str) -> str:
        """TEXT, a plain decimal such as `1.4`, with this language's point."""
        return text.replace(".", self.decimal) if self.decimal != "." else text


@lru_cache(maxsize=512)
def _written(locale: Locale, pattern: str, year: int, month: int, day: int) -> str:
    """PATTERN for a day: pages name the same few days over and over."""
    weekday = date(year, month, day).weekday()
    return pattern.format(
        weekday=locale.weekdays[weekday],
        long_weekday=locale.weekdays[7 + weekday],
        d=day,
        month=locale.months[month - 1],
        long_month=locale.months[11 + month],
        m=month,
        year=f"{year:04d}",
    )


_ENGLISH_DAYS = (
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_ENGLISH_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_GERMAN_DAYS = (
    "Mo", "Di", "Mi", "Do", "Fr", "Sa", "So",
    "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag",
)  # fmt: skip
_GERMAN_MONTHS = (
    "Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez",
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip

EN = Locale(
    decimal=".",
    group=",",
    currency_behind=False,
    weekdays=_ENGLISH_DAYS,
    months=_ENGLISH_MONTHS,
    short_pattern="{d} {month}",
    short_with_year_pattern="{d} {month} {year}",
    weekday_pattern="{weekday}",
    weekday_short_pattern="{weekday} {d} {month}",
    full_pattern="{weekday} {d} {month} {year}",
    weekday_long_pattern="{long_weekday} {d} {long_month} {year}",
    long_pattern="{d} {long_month} {year}",
)

DE = Locale(
    decimal=",",
    group=".",
    currency_behind=True,
    weekdays=_GERMAN_DAYS,
    months=_GERMAN_MONTHS,
    short_pattern="{d:02d}.{m:02d}.",
    short_with_year_pattern="{d:02d}.{m:02d}.{year}",
    weekday_pattern="{weekday},",
    weekday_short_pattern="{weekday}, {d:02d}.{m:02d}.",
    full_pattern="{weekday}, {d:02d}.{m:02d}.{year}",
    weekday_long_pattern="{long_weekday}, {d}. {long_month} {year}",
    long_pattern="{d}. {long_month} {year}",
)

LOCALES = {"en": EN, "de": DE}


def in_english(words: Words) -> str:
    """WORDS for what no person reads as their own: the function's result, a log."""
    with override("en"):
        return str(words)


def here() -> Locale:
    """The ways of the active language."""
    return LOCALES.get(get_language() or "en", EN)


def moment_told(moment: datetime) -> str:
    """`14:05:09 CET on 28 November 2026`, inside a sentence: whoever reads it, in their zone."""
    local = timezone.localtime(moment)
    return _("%(time)s on %(day)s") % {
        "time": f"{local:%H:%M:%S %Z}",
        "day": here().long_date(local),
    }
