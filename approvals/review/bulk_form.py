"""The form that decides several requests of one kind, with one reason."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms

from approvals.errors import InvalidFields
from approvals.lifecycle.decide import checked_comment
from approvals.models import RequestKind
from approvals.review.forms import DecisionForm, offer_reasons, said_in
from approvals.states import Verdict


class BulkForm(forms.Form):
    """Verdict, reason and comment, as DecisionForm has them."""

    def __init__(self, kind: RequestKind | None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        for name in ("verdict", "reason", "comment"):
            self.fields[name] = deepcopy(DecisionForm.base_fields[name])
        offer_reasons(self, kind.reject_reasons if kind else [])

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
        return said_in(self.cleaned_data)
