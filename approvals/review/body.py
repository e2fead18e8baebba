"""A reviewer's JSON body, read strictly: what two readers could read differently is refused."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from approvals.canonical import Json, NumberToken
from approvals.complaints import complaints
from approvals.errors import InvalidFields
from approvals.review.response_fields import exact_number
from approvals.states import Verdict
from approvals.strict_json import MAX_BODY_BYTES, parse_json


class Unreadable(Exception):
    """The body cannot be taken as it is: STATUS, and what to do about it."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


class DecisionBody(BaseModel):
    """What a reviewer posts: the verdict, why, what the response form asks for, and whether
    it is held."""

    model_config = ConfigDict(extra="forbid", strict=True)

    verdict: Literal["approved", "rejected"]
    comment: str = Field("", description="Needed to reject")
    values: dict[str, Any] = Field({}, description="What the response_schema asks for")
    edits: dict[str, Any] = Field(
        {},
        description="What is changed before approving: a value of the same type for each JSON "
        "pointer, out of the request's editable",
    )
    hold: bool = Field(
        False, description="Hold it as long as the kind says; until then it can be taken back"
    )

    @property
    def word(self) -> Verdict:
        return Verdict(self.verdict)


class CommentBody(BaseModel):
    """What a reviewer says about a request, or asks its source."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(description="Plain text, 1 to 10,000 characters; @username tells them")
    ask_requester: bool = Field(False, description="It is a question to the request's source")


Body = TypeVar("Body", bound=BaseModel)


def read_decision(request: HttpRequest) -> DecisionBody:
    """The decision in REQUEST's body; raises as `read_comment`."""
    return _read(request, DecisionBody, "verdict, comment, values and edits")


def read_comment(request: HttpRequest) -> CommentBody:
    """The comment in REQUEST's body.

    Raises:
        Unreadable: 413 too large, 415 not JSON by its type, 400 not JSON in one way only.
        InvalidFields: a field is unknown, missing or wrong.
    """
    return _read(request, CommentBody, "text")


def _read(request: HttpRequest, schema: type[Body], fields: str) -> Body:
    posted = _parse(_bytes(request))
    if not isinstance(posted, dict):
        raise InvalidFields({"": f"Send a JSON object with {fields}."})
    try:
        return schema.model_validate(posted)
    except ValidationError as error:
        raise InvalidFields(complaints(error)) from None


def _bytes(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise Unreadable(415, "Not JSON", "Send application/json.")
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length[:12]) > MAX_BODY_BYTES:
        raise Unreadable(413, "Too large", "Send at most 256 KiB.")
    return request.body


def _parse(body: bytes) -> Any:
    try:
        posted = parse_json(body)
        if not isinstance(posted, dict):
            return posted
        # An edit stays as it was written; what the form counts must be a number.
        return {name: item if name == "edits" else _exact(item) for name, item in posted.items()}
    except ValueError as error:
        raise Unreadable(400, "Not readable", str(error)) from error


def _exact(value: Json) -> Any:
    """VALUE with its numbers as the response form counts them; ValueError if one cannot be."""
    if isinstance(value, NumberToken):
        return exact_number(value)
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value
