"""The form that decides several requests of one kind, with one reason."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from approvals.errors import InvalidFields
from approvals.lifecycle.decide import checked_comment
from approvals.models import RequestKind
from approvals.review.forms import DecisionForm
from approvals.states import Verdict


class BulkForm(forms.Form):
    """Verdict, reason and comment, as DecisionForm has them."""

    def __init__(self, kind: RequestKind | None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        reasons = kind.reject_reasons if kind else []
        for name in ("verdict", "reason", "comment") if reasons else ("verdict", "comment"):
            self.fields[name] = deepcopy(DecisionForm.base_fields[name])
        if reasons:
            field = self.fields["reason"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("None of these")), *((each, each) for each in reasons)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "verdict" in self.errors:
            self.add_error(None, self.errors.pop("verdict"))
        if cleaned.get("verdict") == Verdict.APPROVED:
            self.errors.pop("reason", None)  # an approval gives no reason for rejecting
        if not self.errors:
            try:
                checked_comment(self.said, self.verdict)
            except InvalidFields as refusal:
                self.add_error("comment", refusal.fields["comment"])
        return cleaned

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.cleaned_data["verdict"])

    @property
    def said(self) -> str:
        """The comment as it is recorded for each of them."""
        comment = self.cleaned_data["comment"].replace("\r\n", "\n").strip()
        reason = self.cleaned_data.get("reason", "") if self.verdict is Verdict.REJECTED else ""
        return ": ".join(part for part in (reason, comment) if part)
