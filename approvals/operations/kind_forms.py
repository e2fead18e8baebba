"""What admins post about a kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy

from approvals.keeping import KindFields
from approvals.models import RequestKind
from approvals.models.kind import LONGEST_UNDO, USUAL_UNDO
from approvals.operations.durations import DurationField
from approvals.operations.settings_fields import (
    REQUIRED,
    LinesField,
    SettingsForm,
    TeamsField,
    one_team_choices,
)
from approvals.states import BulkRule, OnReject, OnTimeout
from approvals.strict_json import MalformedJson, parse_json, plain_numbers

_NAMES = ("label", "required_approvals", "reject_reasons", "on_reject", "on_timeout",
          "timeout_seconds", "due_in_seconds", "undo_seconds", "bulk", "default_users",
          "default_groups", "presentation")  # fmt: skip
MOST_TEAMS = 10
_NUMBER = {"required": REQUIRED, "invalid": gettext_lazy("Write a whole number.")}


class JsonField(forms.CharField):
    """JSON as text, kept as it was typed; cleans to its value, empty to {}."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"})
        super().__init__(max_length=64_000, required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False) if value else ""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return plain_numbers(parse_json(text.encode())) if text else {}
        except (MalformedJson, UnicodeEncodeError) as error:
            why = str(error).replace("The body", "This", 1)
            raise forms.ValidationError(why) from None


class KindForm(SettingsForm):
    """A kind's own fields; RequirementRows go with it."""

    label = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("As people read it."),
        error_messages={
            "required": REQUIRED,
            "max_length": gettext_lazy("Shorten it to 80 characters."),
        },
    )
    required_approvals = forms.IntegerField(
        label=gettext_lazy("Approvals in all"),
        min_value=1,
        max_value=100,
        initial=1,
        help_text=gettext_lazy("How many different people must approve."),
        error_messages=_NUMBER,
    )
    reject_reasons = LinesField(
        label=gettext_lazy("Reasons for rejecting"),
        max_length=4_000,
        help_text=gettext_lazy("Offered to whoever rejects. One per line."),
    )
    on_reject = forms.ChoiceField(
        label=gettext_lazy("When somebody rejects"), choices=OnReject.choices
    )
    on_timeout = forms.ChoiceField(
        label=gettext_lazy("When nobody decides in time"), choices=OnTimeout.choices
    )
    timeout_seconds = DurationField(
        label=gettext_lazy("Time to decide"),
        help_text=gettext_lazy("Such as 24 h or 30 min, where the sender gives no timeout."),
    )
    due_in_seconds = DurationField(
        label=gettext_lazy("Due after"),
        help_text=gettext_lazy("Earlier than that: the row takes colour, nothing ends."),
    )
    undo_seconds = forms.IntegerField(
        label=gettext_lazy("Seconds to take a decision back"),
        min_value=0,
        max_value=LONGEST_UNDO,
        initial=USUAL_UNDO,
        help_text=gettext_lazy(
            "A decision made in the browser is sent that much later. 0: at once; 30 at most."
        ),
        error_messages=_NUMBER,
    )
    bulk = forms.ChoiceField(
        label=gettext_lazy("What a reviewer may decide together"),
        choices=BulkRule.choices,
        initial=BulkRule.LOW_RISK,
        help_text=gettext_lazy(
            "Several of this kind in one go, with one reason. Low: a risk below 40."
        ),
    )
    default_users = LinesField(
        label=gettext_lazy("People asked by default"),
        rows=2,
        help_text=gettext_lazy("One username per line."),
    )
    default_groups = TeamsField(label=gettext_lazy("Teams asked by default"))
    presentation = JsonField(
        label=gettext_lazy("How a payload is laid out"),
        help_text=gettext_lazy(
            "A JSON object with any of labels, order, formats, titles, sums, highlights "
            "and hide. Empty: as this kind ships, or plainly."
        ),
    )

    @classmethod
    def of(cls, kind: RequestKind, seen: int) -> KindForm:
        initial: dict[str, Any] = {name: getattr(kind, name) for name in _NAMES}
        initial["default_users"] = kind.default_users.order_by("username").values_list(
            "username", flat=True
        )
        initial["default_groups"] = list(kind.default_groups.values_list("name", flat=True))
        return cls(initial=initial | {"seen": seen})

    def fields_posted(self, rows: RequirementRows) -> KindFields:
        return KindFields(**self.cleaned(_NAMES), requirements=rows.posted())


class NewKindForm(KindForm):
    """A kind's fields and the name senders use, which never changes."""

    slug = forms.CharField(
        label=gettext_lazy("Name for senders"),
        max_length=63,
        help_text=gettext_lazy(
            "Lower case letters, digits and hyphens. It cannot be changed later."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={
            "required": REQUIRED,
            "max_length": gettext_lazy("Shorten it to 63 characters."),
        },
    )
    field_order = ("label", "slug")


class RequirementForm(forms.Form):
    """ "N of this team"; a row without a team says nothing."""

    approvals = forms.IntegerField(
        label=gettext_lazy("Approvals"),
        min_value=1,
        max_value=100,
        initial=1,
        error_messages=_NUMBER,
    )
    team = forms.ChoiceField(
        label=gettext_lazy("of the team"), choices=one_team_choices, required=False
    )


if TYPE_CHECKING:  # Django's class takes its form as a parameter for the checker only
    AnyFormSet = BaseFormSet[RequirementForm]
else:
    AnyFormSet = BaseFormSet


class RequirementRows(AnyFormSet):
    def posted(self) -> list[tuple[str, int]]:
        rows = (form.cleaned_data for form in self.forms)
        return [(row["team"], row["approvals"]) for row in rows if row.get("team")]


_Rows = formset_factory(
    RequirementForm, formset=RequirementRows, extra=2, max_num=MOST_TEAMS, absolute_max=MOST_TEAMS
)


def requirement_rows(data: Any = None, kind: RequestKind | None = None) -> Any:
    """The rows of a kind, and two empty ones; or what was posted."""
    held = kind.requirements.select_related("group").order_by("group__name") if kind else ()
    initial = [{"team": row.group.name, "approvals": row.approvals} for row in held]
    return _Rows(data, initial=initial, prefix="of")
