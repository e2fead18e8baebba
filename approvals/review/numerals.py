"""Numbers as people type them, where their language writes thousands with the point."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext as _

from approvals.locales import here

_GROUPED = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")


def refuse_two_readings(text: str) -> None:
    """Return if TEXT can be read in one way only.

    Where 1.234 is how one writes a thousand and more, it must not become a little above one.

    Raises:
        ValidationError: it can be read as either; it says how to write both.
    """
    if here().group == "." and _GROUPED.fullmatch(text):
        readings = {"typed": text, "whole": text.replace(".", ""), "exact": f"{text}0"}
        raise forms.ValidationError(
            _("%(typed)s can be read in two ways: write %(whole)s or %(exact)s.") % readings
        )
