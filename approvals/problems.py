"""Refusals as RFC 9457 problem documents: what happened, and what to do.

`problem` words one, `refusal` words what the desk refused, and `ProblemMiddleware` sees
to it that nothing under /api/ is ever refused in any other form: not by the address
table, not by Django, not by a crash. It also says, on pages too, when it was the database
that gave no answer: 503, and the same again in a few seconds may be answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, TypedDict

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import Error, InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

from approvals import errors

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
API_PREFIX = "/api/"
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")
RETRY_AFTER_SECONDS = 5
#: More complaints than this help nobody, and would echo a hostile body.
MAX_COMPLAINTS = 20
MAX_FIELD_LENGTH = 200
_TROUBLE = "countersign.database_trouble"
#: Passes like an OperationalError, though psycopg files it elsewhere: a transaction that
#: stood idle or lasted too long, and a server that only reads (a fail-over).
_PASSING_STATES = {"25P03", "25P04", "25006"}
# An answer may be lost on its way back: nobody can promise that nothing was written.
_NOT_DECIDED = "Take nothing as decided."
_TRY_AGAIN = "The database did not answer in time. Try again in a few seconds"

_STATUS_OF: dict[type[errors.Refusal], tuple[int, str]] = {
    errors.InvalidFields: (422, "Some fields need mending"),
    errors.FourEyes: (403, "Somebody else has to decide this"),
    errors.NotAReviewer: (403, "You may not decide this"),
    errors.NotAnOperator: (403, "You may not operate this"),
    errors.NotAnAdmin: (403, "You may not change this"),
    errors.ForeignFunction: (403, "This source may not speak for this function"),
    errors.AlreadyClosed: (409, "Somebody was faster"),
    errors.AlreadyVoted: (409, "Your decision stands"),
    errors.NotYourDecision: (403, "Somebody else decided this"),
    errors.NothingToUndo: (409, "Nothing to take back"),
    errors.AlreadyAnswered: (409, "The question has another answer"),
    errors.NoSuchQuestion: (404, "There is no such question"),
    errors.StalePage: (409, "The request is not what you saw"),
    errors.NotTogether: (409, "This is decided by itself"),
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
    """422, naming every field to mend, MAX_COMPLAINTS of them at most."""
    listed = [
        FieldError(field=name[:MAX_FIELD_LENGTH], message=message)
        for name, message in islice(fields.items(), MAX_COMPLAINTS)
    ]
    count = f"{len(listed)} of {len(fields)}" if len(fields) > len(listed) else len(listed)
    detail = f"Mend what errors lists ({count}), then send it again. Nothing was written."
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


def is_database_trouble(error: BaseException | None) -> bool:
    """Whether ERROR is the database being busy, slow or away; the same may work later."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    cause = error.__cause__ if isinstance(error, Error) else None
    return getattr(cause, "sqlstate", None) in _PASSING_STATES


def out_of_service(request: HttpRequest) -> HttpResponse:
    """503 for what the database did not answer, in the form the caller can show.

    A press by htmx keeps its form and is told in it; a poll changes nothing on the page.
    """
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"}
    if request.path_info.startswith(API_PREFIX):
        detail = f"{_TRY_AGAIN}: sending the same twice is safe. {_NOT_DECIDED}"
        return problem(503, "The database does not answer", detail, headers=headers)
    looking = request.method in ("GET", "HEAD")
    if "HX-Request" not in request.headers:
        page = render_to_string("503.html", {"again": looking})  # without REQUEST: asks nobody
        return HttpResponse(page, status=503, headers=headers)
    if looking:
        return HttpResponse(status=503, headers=headers | {"HX-Reswap": "none"})
    return HttpResponse(_press_failed(), status=503, headers=headers | {"HX-Reswap": "afterbegin"})


def _press_failed() -> str:
    notice = {
        "tone": "warn",
        "symbol": "server-off",
        "title": _("Take nothing as decided."),
        "words": _(
            "The database did not answer in time. Try again in a few seconds. What is "
            "recorded stands on this page when it is loaded again."
        ),
    }
    return render_to_string("parts/notice.html", notice | {"role": "alert", "focus": True})


def _https_only() -> HttpResponse:
    detail = (
        f"This came over plain HTTP and was not read. Send it to {settings.BASE_URL}, and "
        "replace the key or token it carried: others may have seen it."
    )
    return problem(403, "Use https", detail)


@receiver(got_request_exception)
def _remember_trouble(request: HttpRequest | None = None, **_signal: Any) -> None:
    """Note on REQUEST that a middleware met the database's trouble: sessions, sign-in, logs.

    Django makes a 500 of it before any other middleware can see the exception.
    """
    if request is not None and is_database_trouble(sys.exception()):
        request.META[_TROUBLE] = True


class ProblemMiddleware:
    """Rewords any error under /api/ that is not a problem document yet.

    Stands first, so that it sees what all others answer, and so that a call over plain
    HTTP is refused where SecurityMiddleware would redirect it: a client that follows
    redirects would never learn that it shows its key to everybody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        api = request.path_info.startswith(API_PREFIX)
        if api and settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return _https_only()
        response = self.get_response(request)
        if response.status_code == 500 and _TROUBLE in request.META:
            # The middleware that knows the language is left behind: the browser's is known.
            with override(get_language_from_request(request)):
                return _in_place_of(response, out_of_service(request))
        if not api or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            return response
        kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
        return worded(response.status_code, headers=kept)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer what a view met; every middleware still adds its headers."""
        if not is_database_trouble(error):
            return None
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        log.warning("database_trouble", sqlstate=sqlstate, exc_info=error)
        return out_of_service(request)


def _in_place_of(crash: HttpResponseBase, response: HttpResponse) -> HttpResponse:
    """RESPONSE with what the middleware added to CRASH (the content security policy)."""
    for name, value in crash.headers.items():
        if not name.lower().startswith("content-") or name.startswith("Content-Security"):
            response.headers.setdefault(name, value)
    return response


def worded(status: int, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """STATUS in the portal's words, where nothing more is known."""
    detail = _DETAILS.get(status, "Something went wrong here. Send it again later.")
    return problem(status, HTTPStatus(status).phrase, detail, headers=headers)
