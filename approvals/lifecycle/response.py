"""What a reviewer filled in, checked against the form the sender asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from approvals.errors import InvalidFields
from approvals.states import Verdict


def check_values(
    schema: Mapping[str, Any] | None, values: Mapping[str, Any], verdict: Verdict
) -> dict[str, Any]:
    """VALUES as they will be sent: checked for an approval, empty for a rejection.

    Raises:
        InvalidFields: SCHEMA asks for something else, or for nothing at all; names
            are `values.<field>`.
    """
    if verdict is Verdict.REJECTED:
        return {}
    if not schema:
        if values:
            raise InvalidFields({"values": "This request asks for no values: leave them out."})
        return {}
    strict = {**schema, "additionalProperties": False}
    validator = Draft202012Validator(strict, format_checker=FormatChecker())
    complaints = {_field(error): _sentence(error) for error in validator.iter_errors(dict(values))}
    if complaints:
        raise InvalidFields(complaints)
    return dict(values)


def _field(error: ValidationError) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        path.append(missing[0])
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        path.append(next(name for name in error.instance if name not in known))
    return ".".join(["values", *path])


def _sentence(error: ValidationError) -> str:
    bound = error.validator_value
    match error.validator:
        case "required":
            return "Fill this in."
        case "additionalProperties":
            return "The form has no such field: leave it out."
        case "type":
            return f"Give a value of type {bound}."
        case "enum":
            return f"Choose one of {', '.join(map(str, bound))}."
        case "minimum":
            return f"Give {bound} or more."
        case "maximum":
            return f"Give {bound} or less."
        case "minLength":
            return f"Write at least {bound} characters."
        case "maxLength":
            return f"Write at most {bound} characters."
        case "format":
            return f"Write it as a {bound}."
    return "This value does not fit the form."
