"""Refusals as RFC 9457 problem documents: what happened, and what to do.

`problem` words one, `refusal` words what the desk refused, and `ProblemMiddleware` sees
to it that nothing under /api/ is ever refused in any other form: not by the address
table, not by Django, not by a crash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from approvals import errors

CONTENT_TYPE = "application/problem+json"
API_PREFIX = "/api/"
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")

_STATUS_OF: dict[type[errors.Refusal], tuple[int, str]] = {
    errors.InvalidFields: (422, "Some fields need mending"),
    errors.FourEyes: (403, "Somebody else has to decide this"),
    errors.NotAReviewer: (403, "You may not decide this"),
    errors.ForeignFunction: (403, "This source may not speak for this function"),
    errors.AlreadyClosed: (409, "Somebody was faster"),
    errors.AlreadyVoted: (409, "Your decision stands"),
    errors.StalePage: (409, "The request is not what you saw"),
    errors.DifferentContent: (409, "This callback ID is known with other content"),
    errors.NotRedrivable: (409, "This answer cannot be sent again"),
}

_DETAILS = {
    400: "The request cannot be read. Check its address, headers and body.",
    401: "Sign in, or send a valid token.",
    403: "You may not do this.",
    404: "There is nothing here for you. Check the address; /api/v1/docs lists them all.",
    405: "This address does not take this method. /api/v1/docs says which it takes.",
    413: "The body is too large.",
    415: "Send application/json.",
    429: "Too many requests. Wait, then send it again.",
}


class FieldError(TypedDict):
    field: str
    message: str


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    type: str = "about:blank",  # noqa: A002 - RFC 9457's own word
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A refusal in the one form every API client can read (RFC 9457)."""
    document: dict[str, Any] = {"type": type, "title": title, "status": status, "detail": detail}
    if errors is not None:
        document["errors"] = errors
    body = json.dumps(document, ensure_ascii=False)
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def invalid(fields: Mapping[str, str]) -> HttpResponse:
    """422, naming every field to mend."""
    listed = [FieldError(field=name, message=message) for name, message in fields.items()]
    detail = f"Mend what errors lists ({len(listed)}), then send it again. Nothing was written."
    return problem(422, "Some fields need mending", detail, errors=listed)


def refusal(refused: errors.Refusal) -> HttpResponse:
    """The status and words for what the desk refused."""
    if isinstance(refused, errors.InvalidFields):
        return invalid(refused.fields)
    for kind in type(refused).__mro__:
        if kind in _STATUS_OF:
            status, title = _STATUS_OF[kind]
            return problem(status, title, str(refused))
    raise TypeError(f"{type(refused).__name__} has no status here: add it.")


class ProblemMiddleware:
    """Rewords any error under /api/ that is not a problem document yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path_info.startswith(API_PREFIX) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            return response
        kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
        return worded(response.status_code, headers=kept)


def worded(status: int, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """STATUS in the portal's words, where nothing more is known."""
    detail = _DETAILS.get(status, "Something went wrong here. Send it again later.")
    return problem(status, HTTPStatus(status).phrase, detail, headers=headers)


def documented(*statuses: int) -> dict[int, dict[str, Any]]:
    """The `responses` of an OpenAPI operation that may refuse with STATUSES."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


#: The schema `documented` refers to; approvals.api adds it to the document.
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
