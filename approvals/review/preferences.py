"""How a person likes the portal: in which language they read, and in which time zone times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
        continent, _slash, place = name.partition("/")
        words = place.replace("_", " ").replace("/", ", ")
        local = now.astimezone(ZoneInfo(name))
        found.setdefault(continent, []).append((name, f"{words}, {local:%H:%M}"))
    return list(found.items())


class PreferencesForm(forms.Form):
    """What a person may choose for themselves."""

    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy(
            "Pages and mails are in it. What senders wrote stays as they wrote it."
        ),
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": gettext_lazy("Choose a language from the list.")},
    )
    time_zone = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy(
            "Times in pages and mails are shown in it. Deadlines do not change."
        ),
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": gettext_lazy("Choose a time zone from the list.")},
    )

    def __init__(self, *args: object, now: datetime, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        languages = self.fields["language"]
        assert isinstance(languages, forms.ChoiceField)
        languages.choices = [("", _("As my browser says; mails in English")), *settings.LANGUAGES]
        local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
        portals = (
            "",
            _("The portal's: %(zone)s, %(time)s")
            % {"zone": settings.TIME_ZONE, "time": f"{local:%H:%M}"},
        )
        choice = self.fields["time_zone"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [portals, *zones(now)]


def keep(user: User, *, language: str, time_zone: str) -> None:
    """From the next page on USER reads LANGUAGE, "" is their browser's, and times in TIME_ZONE,
    "" is the portal's.
    """
    user.language, user.time_zone = language, time_zone
    user.save(update_fields=["language", "time_zone"])
