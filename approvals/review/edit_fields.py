"""What may be edited before approving, as fields that keep each value's type and digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from approvals.canonical import Json, NumberToken, with_tokens
from approvals.lifecycle.edits import (
    SENTENCES,
    Type,
    editable_of,
    is_date,
    type_of,
    value_at,
)
from approvals.models import ApprovalRequest, Decision
from approvals.presentation import Place, Places, format_money
from approvals.review.changes import is_long
from approvals.review.numerals import refuse_two_readings
from approvals.review.rows import presentation_of
from approvals.strict_json import MalformedJson, parse_json

PREFIX = "edit-"


class EditField(forms.Field):
    """One value of the payload. Cleaned it is JSON of the type it was, numbers as tokens.

    What was not posted, or posted as it stood, is the value as it was sent.
    """

    def __init__(self, pointer: str, old: Json, place: Place, *, money: bool) -> None:
        self.pointer, self.old, self.place = pointer, old, place
        self.type: Type = type_of(old)
        self.money = money
        self.is_fixed = False  # by the first approval: it is carried, and asked of nobody
        super().__init__(
            label=place.label,
            required=False,
            initial=_text_of(old),
            widget=_widget(self.type, _text_of(old), place.name, money=money),
        )

    @property
    def is_long(self) -> bool:
        return isinstance(self.widget, forms.Textarea)

    def is_carried(self, text: str) -> bool:
        """Whether TEXT is what the field held unseen, but for how a browser ends lines."""
        held, posted = (re.sub(r"\r\n?", "\n", each) for each in (str(self.initial), text))
        return held == posted

    def to_python(self, value: Any) -> Json:
        if value is None or (self.is_fixed and self.is_carried(str(value))):
            return self.old
        text = re.sub(r"\r\n?", "\n", str(value))
        before = _text_of(self.old)
        if text == re.sub(r"\r\n?", "\n", before):
            return self.old
        return self._typed(text.replace("\n", "\r\n") if "\r\n" in before else text)

    def _typed(self, text: str) -> Json:
        if self.money or self.type == "number":
            refuse_two_readings(text.strip())
        if self.type == "text":
            if self.money and format_money(text, "XXX") is None:
                raise forms.ValidationError(_("Write an amount, such as 312.00."))
            return text
        if self.type == "boolean" and text in ("true", "false"):
            return text == "true"
        if self.type == "date" and is_date(text):
            return text
        number = _number(text.strip())
        if number is not None and (self.type, type_of(number)) in _NUMERIC:
            return number
        raise forms.ValidationError(SENTENCES[self.type])


_NUMERIC = {("integer", "integer"), ("number", "integer"), ("number", "number")}


def edit_fields(request: ApprovalRequest, agreed: Decision | None) -> dict[str, EditField]:
    """A field for each value of REQUEST that may be edited, named `edit-<n>`.

    AGREED: the first approval, which fixes the payload. The fields then carry its values
    and are not shown.
    """
    pointers = editable_of(request)
    if not pointers:
        return {}
    payload = with_tokens(request.payload_text)
    places = Places(request.payload_text, presentation_of(request.kind))
    fields = {
        f"{PREFIX}{number}": EditField(
            pointer,
            value_at(payload, pointer),
            places.at(pointer),
            money=_is_amount(value_at(payload, pointer), places.format(pointer)),
        )
        for number, pointer in enumerate(pointers)
    }
    offered = {name: field for name, field in fields.items() if field.type != "null"}
    if agreed:
        _fix(offered.values(), agreed.edits)
    return offered


def _fix(fields: Iterable[EditField], edits: Mapping[str, Json]) -> None:
    for field in fields:
        field.initial = _text_of(edits.get(field.pointer, field.old))
        field.widget = forms.HiddenInput()
        field.is_fixed = True


def _text_of(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _number(text: str) -> NumberToken | None:
    try:
        found = parse_json(text.encode())
    except MalformedJson:
        return None
    return found if isinstance(found, NumberToken) else None


def _is_amount(value: Json, style: str) -> bool:
    plain = isinstance(value, str) and not isinstance(value, NumberToken)
    return plain and style.startswith("money:") and format_money(str(value), "XXX") is not None


def _widget(kind: Type, text: str, name: str, *, money: bool) -> forms.Widget:
    attrs = {"class": "input", "data-was": text, "data-name": name, "autocomplete": "off"}
    if kind == "boolean":
        return forms.Select(attrs, choices=[("true", _("Yes")), ("false", _("No"))])
    if kind == "date":
        return forms.DateInput({**attrs, "type": "date"}, format="%Y-%m-%d")
    if kind in ("integer", "number") or money:
        # No input of type number: a browser steps and rounds those.
        mode = "numeric" if kind == "integer" else "decimal"
        return forms.TextInput({**attrs, "inputmode": mode})
    if is_long(text):
        return forms.Textarea({**attrs, "rows": "4", "dir": "auto"})
    return forms.TextInput({**attrs, "dir": "auto"})
