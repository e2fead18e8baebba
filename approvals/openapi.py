"""What every door's operations say alike in the OpenAPI document: how they refuse."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from approvals.problems import CONTENT_TYPE

SAFE = "sending the same again is safe"
_OUT_OF_SERVICE: dict[str, Any] = {
    "headers": {
        "Retry-After": {"description": "Seconds to wait before", "schema": {"type": "integer"}}
    },
}


def documented(*statuses: int, again: str = SAFE) -> dict[int, dict[str, Any]]:
    """The `responses` of an operation that may refuse with STATUSES; each may be answered 503.

    AGAIN: what to know before the same is sent again.
    """
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
    away = f"The database does not answer, or too late: {again}"
    return refusals | {503: _OUT_OF_SERVICE | {"description": away, "content": content}}


#: The schema `documented` refers to; approvals.api adds it to the document.
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
        "title": {"type": "string", "description": "What happened."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do."},
        "errors": {
            "type": "array",
            "description": "Every field to mend, its name dotted where nested; only with 422.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
