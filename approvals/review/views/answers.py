"""What every page of this door shares: who is asking, and how an answer is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from approvals.models import User

P = ParamSpec("P")


class ReviewerRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[ReviewerRequest, P], HttpResponse]


def signed_in(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Send who has not signed in to the sign-in page, and back to the page afterwards.

    What the answer holds is kept by no cache. A fragment cannot show a sign-in form in its
    place: htmx is told to leave the page.
    """

    @wraps(view)
    @never_cache
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def see_other(url: str) -> HttpResponse:
    """303: what was posted is done; look there."""
    return HttpResponse(status=303, headers={"Location": url})


def unchanged(request: ReviewerRequest, version: str) -> bool:
    """True if the asker has this version already (htmx's ptag, or a plain ETag)."""
    etags = request.headers.get("If-None-Match", "").replace("W/", "").split(",")
    known = {request.headers.get("HX-PTag", ""), *(tag.strip().strip('"') for tag in etags)}
    return version in known


def versioned(response: HttpResponse, version: str) -> HttpResponse:
    response["ETag"] = f'"{version}"'
    response["HX-PTag"] = version
    return response


def answer(
    request: ReviewerRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """TEMPLATE whole, or its FRAGMENT where htmx asks."""
    name = f"{template}#{fragment}" if request.htmx else template
    return render(request, name, dict(context), status=status)


def _to_sign_in(request: Any) -> HttpResponse:
    if not request.htmx:
        back = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
        return redirect_to_login(back)
    here = urlsplit(request.htmx.current_url_abs_path or "/").path
    sign_in = f"{resolve_url('account_login')}?{urlencode({'next': here})}"
    return HttpResponse(status=401, headers={"HX-Redirect": sign_in})
