"""Lengths of time as a person types them: `24 h`, `30 min`, `1 d 12 h`."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _

_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,9})\s*(d|h|min|s)(?![a-z])")
_WHOLE = re.compile(rf"{_PART.pattern}(\s*{_PART.pattern})*")
#: Below this hours stay hours: "24 h" is what people set as a timeout, not "1 d".
_DAYS_FROM = 172_800


def seconds_of(text: str) -> int:
    """The seconds TEXT stands for.

    Raises:
        ValueError: it is no sequence of numbers with units.
    """
    text = text.strip().lower()
    if not _WHOLE.fullmatch(text):
        raise ValueError(_("Write a number and a unit: 24 h, 30 min, 90 s or 3 d."))
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def words_of(seconds: int) -> str:
    """SECONDS as `seconds_of` reads them back, exactly."""
    parts = []
    for unit, length in _UNITS.items():
        if unit == "d" and seconds < _DAYS_FROM:
            continue
        count, seconds = divmod(seconds, length)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts) or "0 s"


class DurationField(forms.CharField):
    """A length of time with its unit; cleans to whole seconds, empty to None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        return words_of(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return seconds_of(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
