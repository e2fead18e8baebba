"""The sender's response form as native Django fields, numbers kept exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, Decision
from approvals.presentation.text import visible_line
from approvals.review.numerals import refuse_two_readings

PREFIX = "values-"
LONG_TEXT = 200  # characters; beyond, a field of several lines
_DIGITS = 308


def exact_number(digits: str | Decimal) -> int | float:
    """DIGITS as a number that JSON writes with the same value, no digit lost.

    Raises:
        ValueError: it is no number, or no JSON number keeps all its digits.
    """
    try:
        number = Decimal(digits)
    except InvalidOperation as error:
        raise ValueError(_("Write a number.")) from error
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise ValueError(_("Write a number with fewer digits."))
    if number == number.to_integral_value():
        return int(number)
    rounded = float(number)
    if Decimal(repr(rounded)) != number:
        raise ValueError(_("Write a number with at most 15 digits: more would be rounded."))
    return rounded


def response_fields(schema: Mapping[str, Any] | None) -> dict[str, forms.Field]:
    """A form field for each property of SCHEMA, named `values-<property>`."""
    if not schema:
        return {}
    required = set(schema.get("required", ()))
    return {
        PREFIX + name: _field(name, asked, name in required)
        for name, asked in schema.get("properties", {}).items()
    }


def label_of(name: str, asked: Mapping[str, Any]) -> str:
    """What the property NAME of a response schema is called."""
    plain = name.replace("_", " ").replace("-", " ").capitalize()
    return visible_line(asked.get("title") or plain)


def values_sent(request: ApprovalRequest, decisions: Iterable[Decision]) -> list[tuple[str, str]]:
    """What was filled in with DECISIONS: what each was called, and the value as text."""
    asked = (request.response_schema or {}).get("properties", {})
    values = {name: value for each in decisions for name, value in each.values.items()}
    return [(label_of(name, asked.get(name, {})), _words(value)) for name, value in values.items()]


def _words(value: Any) -> str:
    return (_("Yes") if value else _("No")) if isinstance(value, bool) else str(value)


def _field(name: str, asked: Mapping[str, Any], required: bool) -> forms.Field:
    common: dict[str, Any] = {
        "label": label_of(name, asked),
        "help_text": asked.get("description") or "",
        "required": required,
        "initial": asked.get("default"),
    }
    if "enum" in asked:
        return _choice(asked["enum"], common)
    if asked.get("format") == "date":
        return _date(common)
    return _BUILDERS[asked.get("type", "string")](asked, common)


def _choice(values: list[Any], common: dict[str, Any]) -> forms.Field:
    by_text = {str(value): value for value in values}
    empty = [] if common["required"] and common["initial"] is not None else [("", _("Choose one"))]
    return forms.TypedChoiceField(
        choices=[*empty, *((text, visible_line(text)) for text in by_text)],
        coerce=by_text.__getitem__,
        empty_value=None,
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={
            "required": _("Choose one."),
            "invalid_choice": _("Choose one of the list."),
        },
        **common,
    )


def _date(common: dict[str, Any]) -> forms.Field:
    widget = forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        widget=widget,
        input_formats=["%Y-%m-%d"],
        error_messages={"required": _("Choose a date."), "invalid": _("Write it as 2026-11-20.")},
        **common,
    )


def _text(asked: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    longest = asked.get("maxLength")
    default = common["initial"] or ""
    several = "\n" in default or len(default) > LONG_TEXT
    several |= not default and (longest is None or longest > LONG_TEXT)
    widget = forms.Textarea if several else forms.TextInput
    attrs = {"class": "input", "dir": "auto", **({"rows": "2"} if several else {})}
    return TextField(
        widget=widget(attrs=attrs),
        max_length=longest,
        min_length=asked.get("minLength"),
        error_messages={"required": _("Fill this in.")},
        **common,
    )


def _number(asked: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    whole = asked["type"] == "integer"
    attrs = {"class": "input", "inputmode": "numeric" if whole else "decimal"}
    attrs |= {"step": "1" if whole else "any"}
    attrs |= {name: str(asked[key]) for name, key in _BOUNDS if asked.get(key) is not None}
    return ExactNumberField(whole=whole, widget=forms.NumberInput(attrs=attrs), **common)


_BOUNDS = (("min", "minimum"), ("max", "maximum"))


def _boolean(_asked: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    # `required` in a schema means present; an empty box is present, and false.
    return forms.BooleanField(**{**common, "required": False})


_BUILDERS: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], forms.Field]] = {
    "string": _text,
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
}


class TextField(forms.CharField):
    """A text whose lines end in LF, however the browser sent them."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class ExactNumberField(forms.Field):
    """A number as typed; bounds are the schema's, checked at the desk."""

    def __init__(self, *, whole: bool, **options: Any) -> None:
        super().__init__(error_messages={"required": _("Write a number.")}, **options)
        self.whole = whole

    def to_python(self, value: Any) -> int | float | None:
        text = str(value or "").strip()
        if not text:
            return None
        if not self.whole and text != str(self.initial):
            refuse_two_readings(text)
        try:
            number = exact_number(text) if text.isascii() and "_" not in text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if number is None:
            raise forms.ValidationError(_("Write a number."))
        if self.whole and not isinstance(number, int):
            raise forms.ValidationError(_("Write a whole number."))
        return number


def as_json(value: Any) -> Any:
    """A cleaned value as it is sent."""
    return value.isoformat() if isinstance(value, date) else value
