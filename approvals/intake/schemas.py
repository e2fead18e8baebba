"""What a source may post: the v1 contract, field by field.

The rules that tie fields together stand with the later of the fields, so a complaint
names the one to mend.
"""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from approvals.canonical import NumberToken
from approvals.intake import fields
from approvals.intake.response_schema import ResponseSchema
from approvals.states import OnReject, OnTimeout

Lax = Field(strict=False)  # an enum's word comes as a string


class Posted(BaseModel):
    """Nothing is converted and nothing unknown is let through."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Link(Posted):
    label: fields.Title
    url: fields.HttpsUrl


class Reason(Posted):
    text: fields.Sentence
    points: int | None = Field(None, ge=-100, le=100)


class Risk(Posted):
    """Why a person is asked."""

    score: int = Field(ge=0, le=100)
    reasons: list[Reason] = Field(default=[], max_length=20)
    scored_by: fields.Name | None = None


class Check(Posted):
    text: fields.Sentence
    passed: bool


class Effect(Posted):
    """What changes on approval."""

    label: fields.Title
    before: fields.Scalar = None
    after: fields.Scalar = None


class Assignees(Posted):
    users: list[fields.Name] = Field(default=[], max_length=50)
    groups: list[fields.Name] = Field(default=[], max_length=50)

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if not self.users and not self.groups:
            raise ValueError("Name a user or a group, or leave assignees out.")
        return self


class GroupRequirement(Posted):
    """How many members of one group must approve."""

    group: fields.Name
    approvals: int = Field(1, ge=1, le=100)


class RequestBody(Posted):
    """A callback ID and what people need to decide it."""

    callback_id: fields.CallbackId
    title: fields.Title = Field(description="Who wants what.")
    kind: fields.Slug = "generic"
    summary: fields.Markdown | None = Field(None, description="Markdown.")
    payload: fields.Payload = Field(default={}, description="What is decided about.")
    links: list[Link] = Field(default=[], max_length=10)
    risk: Risk | None = None
    checks: list[Check] = Field(default=[], max_length=20)
    effects: list[Effect] = Field(default=[], max_length=20)
    assignees: Assignees | None = Field(
        None, description="Who may decide. Left out: the kind's reviewers, then the source's."
    )
    requested_by: fields.Name | None = Field(None, description="May not decide.")
    on_behalf_of: fields.Name | None = Field(None, description="May not decide.")
    agent: fields.Name | None = Field(None, description="May not decide.")
    required_approvals: int | None = Field(
        None, ge=1, le=100, description="How many distinct people must approve in all."
    )
    requirements: list[GroupRequirement] = Field(
        default=[],
        max_length=10,
        description="Groups that must agree, each by so many of its members: all of them. "
        "They are asked beside the assignees.",
    )
    timeout_seconds: fields.Seconds | None = Field(
        None, description="The callback's timeout, as in CallbackConfig; 0: none."
    )
    heartbeat_timeout_seconds: fields.Seconds | None = Field(
        None, description="The callback's heartbeat timeout, as in CallbackConfig; 0: none."
    )
    due_in_seconds: fields.SecondsAhead | None = None
    escalate_in_seconds: fields.SecondsAhead | None = None
    execution_arn: fields.ExecutionArn | None = None
    response_schema: ResponseSchema | None = Field(
        None, description="The form a reviewer fills in."
    )
    editable: list[fields.Pointer] = Field(
        default=[], max_length=50, description="JSON pointers into payload."
    )
    if_approved: fields.Sentence | None = None
    if_rejected: fields.Sentence | None = None
    if_nobody: fields.Sentence | None = None
    on_reject: Annotated[OnReject | None, Lax] = None
    on_timeout: Annotated[OnTimeout | None, Lax] = None
    approve_with: fields.Answer | None = None
    reject_with: fields.Answer | None = None
    subject: fields.Name | None = Field(
        None, description="A newer request of the same source and subject supersedes this one."
    )

    @field_validator("due_in_seconds", "escalate_in_seconds")
    @classmethod
    def _rings_before_the_timeout(cls, seconds: int | None, info: ValidationInfo) -> int | None:
        timeout = info.data.get("timeout_seconds")
        if seconds and timeout and seconds >= timeout:
            raise ValueError(f"Choose less than timeout_seconds, which is {timeout}.")
        return seconds

    @field_validator("on_timeout")
    @classmethod
    def _needs_a_timeout(cls, choice: OnTimeout | None, info: ValidationInfo) -> OnTimeout | None:
        if choice and "timeout_seconds" in info.data and not info.data["timeout_seconds"]:
            raise ValueError("Add timeout_seconds, or leave on_timeout out: nothing times out.")
        return choice

    @field_validator("requirements")
    @classmethod
    def _fit_into_the_approvals(
        cls, wanted: list[GroupRequirement], info: ValidationInfo
    ) -> list[GroupRequirement]:
        if len({each.group for each in wanted}) != len(wanted):
            raise ValueError("A group is named twice: keep one, with its number of approvals.")
        total, required = (
            sum(each.approvals for each in wanted),
            info.data.get("required_approvals"),
        )
        if required and total > required:
            raise ValueError(
                f"These ask for {total} approvals: raise required_approvals, or leave it out."
            )
        return wanted

    @field_validator("reject_with")
    @classmethod
    def _needs_a_success(cls, answer: str | None, info: ValidationInfo) -> str | None:
        if answer and info.data.get("on_reject", OnReject.SUCCESS) != OnReject.SUCCESS:
            raise ValueError(
                "Set on_reject to success, or leave reject_with out: a failure carries no value."
            )
        return answer

    @field_validator("editable")
    @classmethod
    def _points_at_values(cls, pointers: list[str], info: ValidationInfo) -> list[str]:
        payload = info.data.get("payload", {})
        for pointer in pointers:
            if not points_at_scalar(payload, pointer):
                raise ValueError(f"{pointer!r} names no single value in payload: mend the pointer.")
        if len(set(pointers)) != len(pointers):
            raise ValueError("A pointer is named twice: keep one of them.")
        return pointers


class WithdrawalBody(Posted):
    """`id` repeats the address, so that a signature covers which request is meant."""

    id: Annotated[UUID, Lax] = Field(
        description="The request's id, as in the address, which no signature covers."
    )
    reason: fields.Sentence


class AnswerBody(Posted):
    """`id` is the question's, so that a signature covers which one is answered."""

    id: Annotated[UUID, Lax] = Field(description="The question's id, as `questions` lists it.")
    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    answered_by: fields.Name | None = Field(None, description="Who says so, for people to read.")


def points_at_scalar(document: object, pointer: str) -> bool:
    """Whether POINTER (RFC 6901) leads to a string, number, boolean or null in DOCUMENT."""
    if not pointer.startswith("/"):
        return False
    found: Any = document
    for step in pointer[1:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and _is_index(key, len(found)):
            found = found[int(key)]
        else:
            return False
    return isinstance(found, NumberToken | str | int | float | bool | None)


def _is_index(key: str, length: int) -> bool:
    canonical = key.isascii() and key.isdecimal() and (key == "0" or key[0] != "0")
    return canonical and len(key) <= 6 and int(key) < length
