"""How a person likes the portal: in which time zone times are read."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings

from approvals.models import User

#: Beside "Europe/Berlin" and its like, files of zones hold names that mean nothing to people.
_CONTINENTS = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/",
    "Europe/", "Indian/", "Pacific/",
)  # fmt: skip


def zones(now: datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones by continent, each with its clock at NOW: `Europe/Berlin`, `Berlin, 14:05`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(filter(lambda name: name.startswith(_CONTINENTS), available_timezones())):
        continent, _, place = name.partition("/")
        words = place.replace("_", " ").replace("/", ", ")
        local = now.astimezone(ZoneInfo(name))
        found.setdefault(continent, []).append((name, f"{words}, {local:%H:%M}"))
    return list(found.items())


class PreferencesForm(forms.Form):
    """What a person may choose for themselves."""

    time_zone = forms.ChoiceField(
        required=False,
        label="Time zone",
        help_text="Times in pages and mails are shown in it. Deadlines do not change.",
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": "Choose a time zone from the list."},
    )

    def __init__(self, *args: object, now: datetime, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
        portals = ("", f"The portal's: {settings.TIME_ZONE}, {local:%H:%M}")
        choice = self.fields["time_zone"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [portals, *zones(now)]


def keep(user: User, *, time_zone: str) -> None:
    """From the next page on USER reads times in TIME_ZONE; "" is the portal's."""
    user.time_zone = time_zone
    user.save(update_fields=["time_zone"])
