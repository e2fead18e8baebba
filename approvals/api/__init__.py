"""The API, v1: one document, every door's operations, one form of refusal."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError

from approvals import problems
from approvals.api.docs import ReadableDocs
from approvals.complaints import worded
from approvals.errors import Refusal
from approvals.intake import api as intake
from approvals.intake import events
from approvals.intake.openapi import SECURITY_SCHEMES
from approvals.openapi import PROBLEM_SCHEMA
from approvals.review import api as review

_PERSONAL_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "Header Authorization: Bearer cst_…, a personal token, made by a reviewer on /tokens/."
    ),
}


class PortalAPI(NinjaAPI):
    """NinjaAPI, with what operations on raw bytes refer to added to its document."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        schemes = schema["components"].setdefault("securitySchemes", {})
        schemes.update(SECURITY_SCHEMES, PersonalTokenAuth=_PERSONAL_TOKEN)
        schema["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
        return schema


def _refused(_request: HttpRequest, error: Refusal) -> HttpResponse:
    return problems.refusal(error)


def _invalid_parameters(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Ninja's places start with where it looked: ("query", "limit"), ("body", "payload", …).
    return problems.invalid(worded(error.errors, skip=1))


def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.worded(error.status_code)


def _not_found(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return problems.worded(404)


_ANSWERS: dict[type[Exception], Any] = {
    Refusal: _refused,
    ValidationError: _invalid_parameters,
    HttpError: _http_error,
    Http404: _not_found,
}

api = PortalAPI(
    title="Countersign",
    version="1",
    description="Put the callbacks of durable functions before people, and decide them.",
    urls_namespace="approvals:api",
    docs=ReadableDocs(),
)
api.add_router("/sources", intake.router)
api.add_router("/sources", events.router)
api.add_router("/requests", review.router)

# Last: what no door has is refused here, without rendering a page for people first.
_nowhere = Router()
api.add_router("", _nowhere)
for error_class, answer in (_ANSWERS | intake.ANSWERS | review.ANSWERS).items():
    api.add_exception_handler(error_class, answer)


@_nowhere.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False
)
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 - ninja's names
    """404 for every other address under /api/v1/."""
    return problems.worded(404)
