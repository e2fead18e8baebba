"""What operators post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.lifecycle import Asked
from approvals.lifecycle.reason import REASON_LIMIT
from approvals.locales import Words
from approvals.operations.causes import AT_ONCE, Failure
from approvals.states import Verdict


def reason_field(missing: Words) -> forms.CharField:
    """Why an operator does it; MISSING is said where the field is left empty."""
    return forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LIMIT,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        error_messages={
            "required": missing,
            "max_length": gettext_lazy("Shorten it to %(limit_value)s characters."),
        },
    )


class RedriveForm(forms.Form):
    """Why an answer is sent again."""

    reason = reason_field(gettext_lazy("Say why the answer is sent again."))


class ManyForm(RedriveForm):
    """Which answers are sent again, and why: one reason for all of them."""

    class Which(TextChoices):
        PICKED = "picked", gettext_lazy("The ticked ones")
        PAGE = "page", gettext_lazy("All on this page")
        CAUSE = "cause", gettext_lazy("All with this cause")

    which = forms.ChoiceField(choices=Which.choices, required=False, initial=Which.PICKED)
    source = forms.SlugField(required=False, max_length=63)
    code = forms.CharField(required=False, max_length=100)

    def __init__(self, data: QueryDict | None = None, cause: Failure | None = None) -> None:
        super().__init__(data, auto_id="many-%s")
        self.cause = cause or Failure()
        if data is not None:
            self.cause = Failure.read(data.dict())
        self.picked = frozenset(data.getlist("pick")) if data is not None else frozenset[str]()
        self.shown = data.getlist("shown") if data is not None else []

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["which"] = cleaned.get("which") or self.Which.PICKED
        if cleaned["which"] == self.Which.CAUSE and not self.cause:
            self.add_error(None, _("Choose a source or a cause first."))
        elif cleaned["which"] == self.Which.PICKED and not self.picked:
            self.add_error(None, _("Tick at least one answer."))
        return cleaned

    @property
    def public_ids(self) -> list[UUID]:
        """The requests meant, by tick or as those of the page; no others."""
        words = self.shown if self.cleaned_data["which"] == self.Which.PAGE else self.picked
        found = []
        for word in list(words)[:AT_ONCE]:
            with suppress(ValueError):
                found.append(UUID(word))
        return found


class OperateForm(forms.Form):
    """What the three forms about one request share."""

    #: The desk's verb, which is also the last word of the address.
    verb = ""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"{self.verb}-%s")

    def mend(self, complaints: Mapping[str, str]) -> None:
        """Put the desk's COMPLAINTS beside the fields they name."""
        for name, why in complaints.items():
            self.add_error(name if name in self.fields else None, why)


class ReassignForm(OperateForm):
    """Whom to ask, beside whom or instead of whom, and why.

    A choice of `to` is `user:<username>` or `team:<name>`. Where there are more people
    than a list should hold, the others are named by their username.
    """

    verb = "reassign"

    to = forms.ChoiceField(
        label=gettext_lazy("Ask"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={
            "invalid_choice": gettext_lazy("They can no longer be asked: choose from the list.")
        },
    )
    username = forms.CharField(
        label=gettext_lazy("Or somebody who is not listed"),
        required=False,
        max_length=150,
        help_text=gettext_lazy("Their username."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    instead_of = forms.ChoiceField(
        label=gettext_lazy("In which place"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={
            "invalid_choice": gettext_lazy("They are not asked any more: choose from the list.")
        },
    )
    reason = reason_field(gettext_lazy("Say why others are asked."))

    def __init__(
        self,
        asked: Sequence[tuple[int, str]],
        teams: Sequence[str],
        people: Sequence[tuple[str, str]],
        *,
        more_people: bool,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data)
        if not more_people:
            del self.fields["username"]
        listed = [
            (_("Teams"), [(f"team:{name}", name) for name in teams]),
            (_("People"), [(f"user:{name}", words) for name, words in people]),
        ]
        choices: dict[str, Any] = {
            "to": [("", _("Choose one")), *((label, rows) for label, rows in listed if rows)],
            "instead_of": [
                ("", _("As well as those who are asked")),
                *((str(pk), _("Instead of %(name)s") % {"name": name}) for pk, name in asked),
            ],
        }
        for name, rows in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = rows

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "to" not in self.errors and not (cleaned.get("to") or cleaned.get("username")):
            self.add_error("to", _("Choose a team or a person."))
        return cleaned

    @property
    def whom(self) -> Asked:
        chosen, other = self.cleaned_data["to"], self.cleaned_data.get("username", "")
        kind, _colon, name = chosen.partition(":")
        return Asked(
            username=name if kind == "user" else other, group=name if kind == "team" else ""
        )

    @property
    def in_place_of(self) -> int | None:
        """An assignment's id."""
        return int(self.cleaned_data["instead_of"] or 0) or None


class TakeBackForm(OperateForm):
    """Why a request is taken back."""

    verb = "take-back"

    reason = reason_field(gettext_lazy("Say why you take it back; the function receives it."))


class ForceForm(OperateForm):
    """The answer, why it is forced, and a tick: no single press forces anything."""

    verb = "force"

    verdict = forms.ChoiceField(
        label=gettext_lazy("The answer"),
        choices=Verdict.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"], gettext_lazy("Choose approve or reject.")
        ),
    )
    reason = reason_field(gettext_lazy("Say why you force an answer; the function receives it."))
    sure = forms.BooleanField(
        label=gettext_lazy("I force this for everybody who was asked"),
        error_messages={
            "required": gettext_lazy("Tick this to force an answer; nothing was forced.")
        },
    )
