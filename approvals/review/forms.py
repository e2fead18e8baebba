"""The forms reviewers post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.locales import Words
from approvals.models import ApprovalRequest
from approvals.models.facets import Facets
from approvals.models.filter import Due, Filter, Risk, Sort
from approvals.review.edit_fields import PREFIX as EDIT
from approvals.review.edit_form import EditsForm
from approvals.review.response_fields import PREFIX, as_json, response_fields
from approvals.states import Verdict

LONGEST_TOKEN_DAYS = 365


def offer_reasons(form: forms.Form, reasons: Sequence[str]) -> None:
    """Let FORM's `reason` be one of REASONS; without any it has no such field."""
    field = form.fields["reason"]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [("", _("None of these")), *((each, each) for each in reasons)]
    if not reasons:
        del form.fields["reason"]


def said_in(cleaned: Mapping[str, Any]) -> str:
    """The comment of a CLEANED form as it is recorded; only a rejection has a reason."""
    comment = cleaned["comment"].replace("\r\n", "\n").strip()
    rejects = cleaned["verdict"] == Verdict.REJECTED
    reason = cleaned.get("reason", "") if rejects else ""
    return ": ".join(part for part in (reason, comment) if part)


class DecisionForm(EditsForm):
    """Verdict and comment, and what the sender's response schema asks for.

    `seen` is the payload hash of the page the form stood on. `reason` is there where the
    kind lists reasons for rejecting; it becomes the beginning of the comment. The desk
    checks everything once more; the form is here to say what to mend beside each field.
    """

    verdict = forms.ChoiceField(
        choices=Verdict.choices,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"],
            gettext_lazy("Press Approve or Reject: nothing was decided."),
        ),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason for rejecting"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the list.")},
    )
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"class": "input", "rows": "3", "dir": "auto"}),
        error_messages={"max_length": gettext_lazy("Shorten it to 10,000 characters.")},
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, approval: ApprovalRequest, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(approval, data)
        offer_reasons(self, approval.kind.reject_reasons)
        self.fields.update(response_fields(approval.response_schema))
        self.offer_edits()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("verdict") == Verdict.REJECTED:
            for name in [name for name in self.errors if name.startswith((PREFIX, EDIT))]:
                del self.errors[name]  # a rejection sends no values and no edits
        elif "verdict" in self.errors:
            self.add_error(None, self.errors.pop("verdict"))
        else:
            self.errors.pop("reason", None)  # an approval gives no reason for rejecting
            self.check_edits_were_named(cleaned.get("edited") or 0)
        return cleaned

    @property
    def said(self) -> str:
        """The comment as it is recorded: `<reason>`, `<comment>` or `<reason>: <comment>`."""
        return said_in(self.cleaned_data)

    @property
    def unsent(self) -> str:
        """What was written into a form whose request has been closed since."""
        written = (self.data.get("reason", ""), self.data.get("comment", ""))
        return ": ".join(part for part in written if part)

    @property
    def values(self) -> dict[str, Any]:
        """What is sent as `values`: fields left empty are left out."""
        found = {
            name.removeprefix(PREFIX): as_json(value)
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX)
        }
        return {name: value for name, value in found.items() if value not in (None, "")}

    def mend(self, complaints: Mapping[str, str]) -> None:
        """Put the desk's COMPLAINTS beside the fields they name."""
        for name, why in complaints.items():
            field = self.edit_field_at(name) or name.replace("values.", PREFIX, 1)
            self.add_error(field if field in self.fields else None, why)

    @property
    def response(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(PREFIX)]


class CommentForm(forms.Form):
    """Something to say about a request; pressed by ASK it is a question to its source."""

    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=10_000,
        strip=False,  # the desk trims it, and shows what was written where it refuses
        widget=forms.Textarea(attrs={"class": "input", "rows": "3"}),
        error_messages={
            "required": gettext_lazy("Write something first."),
            "max_length": gettext_lazy("Shorten it to 10,000 characters."),
        },
    )
    ask = forms.BooleanField(required=False)

    def mend(self, complaints: Mapping[str, str]) -> None:
        """Put the desk's COMPLAINTS beside the field they name."""
        for name, why in complaints.items():
            self.add_error(name if name in self.fields else None, why)


def _choice(label: Words) -> forms.ChoiceField:
    widget = forms.Select(attrs={"class": "input"})
    return forms.ChoiceField(label=label, required=False, widget=widget)


class FilterForm(forms.Form):
    """What a list can be narrowed by, as it is narrowed now."""

    kind, source, due, risk = map(
        _choice,
        (gettext_lazy("Kind"), gettext_lazy("Source"), gettext_lazy("Due"), gettext_lazy("Risk")),
    )
    sort = _choice(gettext_lazy("Order"))

    def __init__(self, facets: Facets, only: Filter) -> None:
        super().__init__(initial=only.words)
        offered: dict[str, Sequence[tuple[str, Any]]] = {
            "kind": facets.kinds,
            "source": facets.sources,
            "due": Due.choices,
            "risk": Risk.choices,
            "sort": Sort.choices,
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            now = only.words.get(name, "")
            known = {slug for slug, _ in choices}
            gone = [(now, now)] if now and now not in known else []
            usual = _("Nearest deadline first") if name == "sort" else _("Any")
            field.choices = [("", usual), *choices, *gone]


class SaveViewForm(forms.Form):
    """A name for a list somebody comes back to."""

    name = forms.CharField(
        max_length=40,
        label=gettext_lazy("Save it as"),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Give it a name."),
            "max_length": gettext_lazy("Keep it to 40 characters."),
        },
    )


class TokenForm(forms.Form):
    """A new personal token."""

    name = forms.CharField(
        max_length=80,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Where it will be used, such as “deploy script”."),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_TOKEN_DAYS,
        initial=90,
        label=gettext_lazy("Valid for (days)"),
        widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(
            ["required", "invalid", "min_value", "max_value"], gettext_lazy("Give 1 to 365 days.")
        ),
    )
