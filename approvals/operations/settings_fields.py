"""What forms of sources and kinds have in common: lists by lines, teams, what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models.user import ROLES

LINES = 2_000
REQUIRED = gettext_lazy("This is needed.")


class LinesField(forms.CharField):
    """One item per line; empty lines and spaces around an item do not count."""

    def __init__(self, *, rows: int = 3, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
        options.setdefault("max_length", LINES)
        super().__init__(widget=widget, required=False, strip=False, **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else "\n".join(value)

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class TeamsField(forms.MultipleChoiceField):
    """Any of the teams there are; roles are none."""

    def __init__(self, **options: Any) -> None:
        widget = forms.CheckboxSelectMultiple(attrs={"class": "choices"})
        super().__init__(choices=team_choices, widget=widget, required=False, **options)
        self.error_messages["invalid_choice"] = gettext_lazy(
            "There is no team %(value)s (any more)."
        )


def team_choices() -> list[tuple[str, str]]:
    names = Group.objects.exclude(name__in=ROLES).order_by("name").values_list("name", flat=True)
    return [(name, name) for name in names]


def one_team_choices() -> list[tuple[str, str]]:
    return [("", _("No team")), *team_choices()]


class SettingsForm(forms.Form):
    """A form that remembers which state its reader looked at (keeping.desk.version_of)."""

    seen = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)

    def complain(self, fields: Mapping[str, str]) -> None:
        """Say what the desk refused, beside the field where there is one."""
        for name, why in fields.items():
            self.add_error(name if name in self.fields else None, why)

    def cleaned(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names}
