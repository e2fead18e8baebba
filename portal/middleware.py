"""What people's pages need and programs do not, and one log line for each request.

A call that signs itself or carries a token has no session, no cookie and no form: the
doors for programs pass by whatever reads those. Security headers, https, the host check,
request ids and logs are for everybody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

import structlog
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    load_backend,
)
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxMiddleware
from django_structlog.middlewares import RequestMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from portal.logs import straight_logger

#: Doors that nobody enters with a cookie.
PROGRAMS = ("/api/v1/sources/", "/api/v1/requests")


_LANGUAGES = dict(settings.LANGUAGES)


def is_for_programs(request: HttpRequest) -> bool:
    """Whether REQUEST goes to a door that takes signatures, keys and tokens alone."""
    return request.path_info.startswith(PROGRAMS)


class _ForPages:
    """Mixed into a middleware: programs pass it by."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_for_programs(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class Assets(_ForPages, WhiteNoiseMiddleware):  # type: ignore[misc]
    """Static files."""


class Sessions(_ForPages, SessionMiddleware):
    """Who is signed in, by cookie."""


class People(_ForPages, AuthenticationMiddleware):
    """request.user, of the session; from when they are known, times are in their zone and
    words in their language. Before, and for who chose none, it is the browser's language.
    Programs are told English words and times in UTC.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if is_for_programs(request):
            with timezone.override(UTC):  # and in English, whatever it asks for
                return super().__call__(request)
        translation.activate(translation.get_language_from_request(request))
        try:
            return self._in_their_words(super().__call__(request))
        finally:
            timezone.deactivate()  # threads go on to serve others
            translation.deactivate()

    @staticmethod
    def _in_their_words(response: Any) -> Any:
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        lazy: Any = SimpleLazyObject(lambda: _person_of(request))
        request.user = lazy


def _person_of(request: Any) -> Any:
    """As django.contrib.auth.get_user; the person who came with the session if they hold.

    Nothing is accepted here that Django would refuse. Whatever is not plainly right
    (another backend, a password changed since, a former SECRET_KEY) is left to Django.
    """
    if not hasattr(request, "_cached_user"):
        person = getattr(request.session, "person", None) if _loaded(request.session) else None
        holds = person is not None and _still_holds(request.session, person)
        request._cached_user = person if holds else get_user(request)
        if request._cached_user.is_authenticated:
            timezone.activate(request._cached_user.zone)
            if request._cached_user.language in _LANGUAGES:
                translation.activate(request._cached_user.language)
    return request._cached_user


def _loaded(session: Any) -> bool:
    return SESSION_KEY in session  # asking loads it


def _still_holds(session: Any, person: Any) -> bool:
    path = session.get(BACKEND_SESSION_KEY)
    if str(person.pk) != session[SESSION_KEY] or path not in settings.AUTHENTICATION_BACKENDS:
        return False
    backend: Any = load_backend(path)
    password = session.get(HASH_SESSION_KEY, "")
    return backend.user_can_authenticate(person) and constant_time_compare(
        password, person.get_session_auth_hash()
    )


class Messages(_ForPages, MessageMiddleware):
    """What the next page says."""


class Htmx(_ForPages, HtmxMiddleware):
    """Which part of a page is asked for."""


class ContentPolicy(CSPMiddleware):
    """The content security policy; programs get the same text, written once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._written = ""

    def __call__(self, request: HttpRequest) -> Any:
        if not is_for_programs(request):
            return super().__call__(request)
        response: Any = self.get_response(request)
        if not self._written:
            self._written = self._written_for(request)
        response.headers.setdefault("Content-Security-Policy", self._written)
        response.headers.setdefault("Cache-Control", "no-store")  # payloads are in it
        return response

    def _written_for(self, request: HttpRequest) -> str:
        self.process_request(request)
        blank: Any = self.process_response(request, HttpResponse())
        return str(blank.headers["Content-Security-Policy"])


class RequestLog(RequestMiddleware):
    """One line when a request has been answered, with its id and the caller's address.

    For programs in fewer steps: nobody is signed in before the door, and no line, not even
    one for debugging, says that a request has started.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)
        self._log = straight_logger(__name__, settings.LOG_LEVEL)
        self._levels = {kind: self._log_level_for_status_code(kind * 100) for kind in range(1, 6)}

    def prepare(self, request: HttpRequest) -> None:
        if not is_for_programs(request):
            super().prepare(request)
            return
        structlog.contextvars.bind_contextvars(
            request_id=str(uuid.uuid4()), ip=self._address(request)
        )

    def process_view(
        self, request: HttpRequest, view: object, args: object, named: Mapping[str, Any]
    ) -> None:
        """Every line from here on says which approval request its address names."""
        public_id = named.get("public_id") or named.get("request_id")
        if public_id:
            structlog.contextvars.bind_contextvars(public_id=str(public_id))

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        if not is_for_programs(request) or hasattr(request, "_raised_exception"):
            super().handle_response(request, response)
            return
        level = self._levels[response.status_code // 100]
        said = self.format_request(request)
        self._log.log(level, "request_finished", code=response.status_code, request=said)
        structlog.contextvars.clear_contextvars()

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=cls._address(request))

    @staticmethod
    def _address(request: HttpRequest) -> str | None:
        """The address the proxy in front saw, where there is one; else the peer's."""
        seen = request.META.get("REMOTE_ADDR", "")
        if settings.ALLAUTH_TRUSTED_PROXY_COUNT:
            forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
            seen = forwarded.rpartition(",")[2].strip() or seen
        return seen or None
