"""What operators post."""

from __future__ import annotations

from django import forms

from approvals.lifecycle.reason import REASON_LIMIT


class RedriveForm(forms.Form):
    """Why an answer is sent again."""

    reason = forms.CharField(
        max_length=REASON_LIMIT,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        error_messages={
            "required": "Say why the answer is sent again.",
            "max_length": f"Shorten it to {REASON_LIMIT} characters.",
        },
    )
