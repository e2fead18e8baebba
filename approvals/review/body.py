"""A reviewer's JSON body, read strictly: what two readers could read differently is refused."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NoReturn

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from approvals.errors import InvalidFields
from approvals.review.response_fields import exact_number
from approvals.states import Verdict

MAX_BODY_BYTES = 256 * 1024

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


class Unreadable(Exception):
    """The body cannot be taken as it is: STATUS, and what to do about it."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


class DecisionBody(BaseModel):
    """What a reviewer posts: the verdict, why, and what the response form asks for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    verdict: Literal["approved", "rejected"]
    comment: str = Field("", description="Needed to reject")
    values: dict[str, Any] = Field({}, description="What the response_schema asks for")

    @property
    def word(self) -> Verdict:
        return Verdict(self.verdict)


def read_decision(request: HttpRequest) -> DecisionBody:
    """The decision in REQUEST's body.

    Raises:
        Unreadable: 413 too large, 415 not JSON by its type, 400 not JSON in one way only.
        InvalidFields: a field is unknown, missing or wrong.
    """
    posted = _parse(_bytes(request))
    if not isinstance(posted, dict):
        raise InvalidFields({"": "Send a JSON object with verdict, comment and values."})
    try:
        return DecisionBody.model_validate(posted)
    except ValidationError as error:
        raise InvalidFields(
            {".".join(map(str, found["loc"])): f"{found['msg']}." for found in error.errors()}
        ) from None


def _bytes(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise Unreadable(415, "Not JSON", "Send application/json.")
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length[:12]) > MAX_BODY_BYTES:
        raise Unreadable(413, "Too large", "Send at most 256 KiB.")
    return request.body


def _parse(body: bytes) -> Any:
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_float=exact_number,
            parse_int=exact_number,
            parse_constant=_refuse,
        )
        _check_text(value)
    except (ValueError, RecursionError) as error:
        detail = "The body is not JSON that can be read in one way only"
        why = str(error) if type(error) is ValueError else "mend its syntax"
        raise Unreadable(400, "Not readable", f"{detail}: {why}") from error
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("an object has the same key twice, keep one of them.")
    return unique


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number.")


def _check_text(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
    elif isinstance(value, str) and _UNWRITABLE.search(value):
        raise ValueError("a text holds NUL or half a surrogate pair, leave it out.")
