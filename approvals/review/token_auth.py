"""Who calls: the owner of the personal token that a program sends."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.security import HttpBearer

from approvals import problems
from approvals.models import User
from approvals.review import tokens


class Unauthenticated(Exception):
    """No token, or none that stands for anybody."""


class TokenRequest(HttpRequest):
    """A request whose token stands for AUTH.

    SEEN: of a decision, the key of the request it is about; None if AUTH does not see it.
    """

    auth: User
    seen: int | None


class PersonalTokenAuth(HttpBearer):
    """`Authorization: Bearer cst_…`, a personal token made on /tokens/."""

    def __call__(self, request: HttpRequest) -> User:
        user = super().__call__(request)
        if user is None:
            raise Unauthenticated
        return user  # type: ignore[no-any-return]

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        called = request.resolver_match
        if called is None or called.url_name != "decision":
            return tokens.owner_of(token, now=timezone.now())
        entry = tokens.enter(token, called.kwargs["public_id"], now=timezone.now())
        if entry is None:
            return None
        request.seen = entry.request_id  # type: ignore[attr-defined]
        return entry.owner


def unauthenticated(_request: HttpRequest, _error: Unauthenticated) -> HttpResponse:
    """How `Unauthenticated` is answered."""
    return problems.problem(
        401,
        "Not signed in",
        "Send a personal token that is valid: Authorization: Bearer cst_… (see /tokens/).",
        headers={"WWW-Authenticate": "Bearer"},
    )
