"""Who may stand at this door, and how its addresses are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache

from approvals.models import User
from approvals.models.listing import Place
from approvals.models.rights import OPERATE
from approvals.operations.paging import from_word

P = ParamSpec("P")


class OperatorRequest(HttpRequest):
    """A request of somebody who oversees all sources, or some."""

    user: User


View = Callable[Concatenate[OperatorRequest, P], HttpResponse]


def signed_in(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Whoever has signed in comes in; what they may see there, the view says."""

    @wraps(view)
    @never_cache
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def for_operators(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Operators and auditors come in; for all others there is nothing here (404)."""

    @wraps(view)
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.rights.oversees_something:
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    # What was posted is gone after signing in: there is no page at its address.
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    if "HX-Request" not in request.headers:
        return redirect_to_login(back)
    # A fragment cannot show a sign-in form in its place: htmx is told to leave the page.
    return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("account_login")})


def check_may_act(request: OperatorRequest, source_id: int) -> None:
    """Raises PermissionDenied (403) for those who only look at what this source does."""
    if not request.user.rights.may(OPERATE, source_id):
        raise PermissionDenied


def place_in(request: HttpRequest) -> Place | None:
    """Where the list shall start; 404 for a place there is not."""
    try:
        return from_word(request.GET.get("after", ""))
    except ValueError as error:
        raise Http404 from error
