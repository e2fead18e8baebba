"""From parsed JSON to what the desk takes: valid field by field, or refused by field."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from approvals.canonical import Json, canonical_json, plain_json, sha256_hex
from approvals.complaints import complaints
from approvals.errors import InvalidFields
from approvals.intake.schemas import RequestBody
from approvals.lifecycle import NewRequest
from approvals.policy import Wanting
from approvals.strict_json import MAX_PAYLOAD_BYTES, plain_numbers

Body = TypeVar("Body", bound=BaseModel)

#: Fields that go to the desk in another shape than they came in.
_RESHAPED = {"payload", "assignees", "requested_by", "on_behalf_of", "agent", "response_schema"}


def read(schema: type[Body], posted: Json) -> Body:
    """POSTED as SCHEMA. Number tokens inside `payload` are kept, others become numbers.

    Raises:
        InvalidFields: POSTED is no object, or a field is unknown, missing or wrong.
    """
    if not isinstance(posted, dict):
        raise InvalidFields({"": "Send a JSON object, with the fields /api/v1/docs lists."})
    counted = {
        name: value if name == "payload" else plain_numbers(value) for name, value in posted.items()
    }
    try:
        return schema.model_validate(counted)
    except ValidationError as error:
        raise InvalidFields(complaints(error)) from None


def new_request(posted: Json) -> NewRequest:
    """What POSTED asks for, with the hashes by which it is known again.

    "The same content" means the same fields: one that is left out and one that is sent
    with its default are equal, and so are two orders of keys.

    Raises:
        InvalidFields: as `read`, or the payload is larger than MAX_PAYLOAD_BYTES.
    """
    body = read(RequestBody, posted)
    payload_text = canonical_json(body.payload)
    if len(payload_text.encode()) > MAX_PAYLOAD_BYTES:
        raise InvalidFields(
            {"payload": f"Shorten this to at most {MAX_PAYLOAD_BYTES} bytes; link to the rest."}
        )
    form = body.response_schema
    given = body.model_dump(exclude=_RESHAPED)
    return NewRequest(
        content_sha256=sha256_hex(_content(body, payload_text)),
        payload_text=payload_text,
        payload_sha256=sha256_hex(payload_text),
        users=tuple(dict.fromkeys(body.assignees.users)) if body.assignees else (),
        groups=tuple(dict.fromkeys(body.assignees.groups)) if body.assignees else (),
        wanting=Wanting(body.requested_by or "", body.on_behalf_of or "", body.agent or ""),
        response_schema=form.model_dump(by_alias=True, exclude_none=True) if form else None,
        **{name: value for name, value in given.items() if value is not None},
    )


def _content(body: RequestBody, payload_text: str) -> str:
    """The canonical JSON of all that BODY says; only its payload can hold number tokens."""
    said = body.model_dump(exclude={"payload"}, exclude_defaults=True)
    if not body.payload:  # empty is its default
        return plain_json(said)
    before = plain_json({name: value for name, value in said.items() if name < "payload"})
    after = plain_json({name: value for name, value in said.items() if name > "payload"})
    parts = (before[1:-1], f'"payload":{payload_text}', after[1:-1])
    return "{" + ",".join(filter(None, parts)) + "}"
