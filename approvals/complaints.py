"""What is wrong with what a program sent, in its words: which field, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

_OBJECT = "Write an object."
_ADVICE = {
    "missing": "Add this field.",
    "extra_forbidden": "This field is not known here: check its spelling, or leave it out.",
    "string_type": "Write a string.",
    "int_type": "Write a whole number, without quotes.",
    "bool_type": "Write true or false.",
    "list_type": "Write a list.",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "string_too_short": "Write at least {min_length} character(s), or leave the field out.",
    "string_too_long": "Shorten this to at most {max_length} characters.",
    "too_short": "Send at least {min_length} item(s), or leave the field out.",
    "too_long": "Send at most {max_length} items.",
    "greater_than_equal": "Write {ge} or more.",
    "less_than_equal": "Write {le} or less.",
    "less_than": "Write less than {lt}.",
    "enum": "Choose {expected}.",
    "literal_error": "Write {expected}.",
    "union_tag_invalid": "Choose one of {expected_tags} as type.",
    "union_tag_not_found": "Add a type: string, number, integer or boolean.",
    "string_pattern_mismatch": "Use letters, digits, _ and -, at most 64 characters.",
}


def complaints(error: ValidationError) -> dict[str, str]:
    """Dotted field name to a sentence that says what to do."""
    return worded(error.errors(include_url=False, include_input=False))


def worded(found: Sequence[Mapping[str, Any]], *, skip: int = 0) -> dict[str, str]:
    """As `complaints`, of pydantic's own list; SKIP: how many steps lead to the first field."""
    return {_field(detail["loc"][skip:]): _sentence(detail) for detail in found}


def _sentence(detail: Mapping[str, Any]) -> str:
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    advice = _ADVICE.get(detail["type"])
    return advice.format(**context) if advice else f"{detail['msg']}."


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, _without_tag(place)))


def _without_tag(place: tuple[int | str, ...]) -> Iterable[int | str]:
    # pydantic puts the chosen type of a form field between its name and its keyword.
    if place[:2] == ("response_schema", "properties") and place[3:4] != ("[key]",):
        return (*place[:3], *place[4:])
    return place
