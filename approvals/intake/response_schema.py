"""The closed subset of JSON Schema a sender may ask a reviewer to fill in.

A flat object of at most ten fields. No `$ref`, no `pattern`, nothing nested: what is
not listed here is refused by its place, so that the form shown is the schema sent.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from approvals.intake.fields import Number

MAX_FIELDS = 10
#: Names the decision itself uses, in the form and in the API.
RESERVED_NAMES = frozenset({"verdict", "comment", "csrfmiddlewaretoken"})

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
Length = Annotated[int, Field(ge=0, le=10_000)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)

    title: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=500)


class TextField(_Closed):
    """A line of text, a choice (`enum`) or a date (`format: date`)."""

    type: Literal["string"]
    enum: list[Annotated[str, Field(max_length=200)]] | None = Field(
        None, min_length=1, max_length=50
    )
    format: Literal["date"] | None = None
    default: str | None = Field(None, max_length=10_000)
    min_length: Length | None = None
    max_length: Length | None = None

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Self:
        _check_choices(self.enum, self.default)
        _check_order(self.min_length, self.max_length, "minLength", "maxLength")
        if self.format == "date" and self.default is not None:
            _check_date(self.default)
        return self


class _Numeric(_Closed):
    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Self:
        fields: Any = self
        _check_choices(fields.enum, fields.default)
        _check_order(fields.minimum, fields.maximum, "minimum", "maximum")
        return self


class NumberField(_Numeric):
    type: Literal["number"]
    enum: list[Number] | None = Field(None, min_length=1, max_length=50)
    default: Number | None = None
    minimum: Number | None = None
    maximum: Number | None = None


class IntegerField(_Numeric):
    type: Literal["integer"]
    enum: list[Whole] | None = Field(None, min_length=1, max_length=50)
    default: Whole | None = None
    minimum: Whole | None = None
    maximum: Whole | None = None


class BooleanField(_Closed):
    type: Literal["boolean"]
    default: bool | None = None


FormField = Annotated[
    TextField | NumberField | IntegerField | BooleanField, Field(discriminator="type")
]


class ResponseSchema(_Closed):
    """`{"type": "object", "properties": {...}, "required": [...]}`."""

    type: Literal["object"]
    properties: dict[FieldName, FormField] = Field(min_length=1, max_length=MAX_FIELDS)
    required: list[str] = Field(default=[], max_length=MAX_FIELDS)
    additional_properties: Literal[False] | None = None

    @model_validator(mode="after")
    def _names_are_free_and_known(self) -> Self:
        if taken := RESERVED_NAMES & self.properties.keys():
            raise ValueError(f"Rename {', '.join(sorted(taken))}: the decision uses this name.")
        if unknown := set(self.required) - self.properties.keys():
            raise ValueError(f"required names unknown properties: {', '.join(sorted(unknown))}.")
        return self


def _check_choices(choices: list[Any] | None, default: object) -> None:
    if choices is None:
        return
    if len(set(choices)) != len(choices):
        raise ValueError("enum holds a value twice: keep one of them.")
    if default is not None and default not in choices:
        raise ValueError("default is not in enum: choose one of its values.")


def _check_order(low: float | None, high: float | None, low_name: str, high_name: str) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"{low_name} is above {high_name}: swap them.")


def _check_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("default is no date: write it as 2026-11-20.") from error
