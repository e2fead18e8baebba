"""What a reviewer filled in, checked against the form the sender asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
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
            raise InvalidFields({"values": _("This request asks for no values: leave them out.")})
        return {}
    fields: Mapping[str, Any] = schema.get("properties", {})
    complaints = {
        **{name: _("Fill this in.") for name in schema.get("required", ()) if name not in values},
        **dict.fromkeys(values.keys() - fields, _("The form has no such field: leave it out.")),
    }
    for name in fields.keys() & values.keys():
        validator = Draft202012Validator(fields[name], format_checker=FormatChecker())
        if error := next(validator.iter_errors(values[name]), None):
            complaints[name] = _sentence(error)
    if complaints:
        raise InvalidFields({f"values.{name}": why for name, why in complaints.items()})
    return dict(values)


_SENTENCES = {
    "type": gettext_lazy("Give a value of type {bound}."),
    "enum": gettext_lazy("Choose one of: {bound}."),
    "minimum": gettext_lazy("Give {bound} or more."),
    "maximum": gettext_lazy("Give {bound} or less."),
    "minLength": gettext_lazy("Write at least {bound} characters."),
    "maxLength": gettext_lazy("Write at most {bound} characters."),
    "format": gettext_lazy("Write it as a {bound}."),
}


def _sentence(error: ValidationError) -> str:
    bound = error.validator_value
    if isinstance(bound, list):
        bound = ", ".join(map(str, bound))
    template = _SENTENCES.get(str(error.validator), _("This value does not fit the form."))
    return template.format(bound=bound)
