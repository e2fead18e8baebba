"""Who may look at sources and kinds, and who may change them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from approvals.errors import NotAnAdmin
from approvals.models import CallbackSource, RequestKind
from approvals.operations.settings_lists import may_keep, sources_for
from approvals.operations.views.gate import OperatorRequest, signed_in

P = ParamSpec("P")
View = Callable[Concatenate[OperatorRequest, P], HttpResponse]


def for_those_who_look(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Operators, auditors and admins come in; for all others there is nothing here (404).

    Whoever the desk finds to be no admin gets 403. No cache keeps a page: it may show a
    secret that was made this moment.
    """

    @wraps(view)
    @sensitive_post_parameters("given")
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (request.user.rights.oversees_something or may_keep(request.user)):
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except NotAnAdmin as refusal:
            raise PermissionDenied from refusal

    return signed_in(guarded)


def check_may_keep(request: OperatorRequest) -> None:
    """Raises PermissionDenied (403) for those who only look; the desk asks again."""
    if not may_keep(request.user):
        raise PermissionDenied


def source_or_404(request: OperatorRequest, slug: str) -> CallbackSource:
    """The source SLUG, if this person may see it."""
    source = sources_for(request.user).filter(slug=slug).first()
    if source is None:
        raise Http404
    return source


def kind_or_404(slug: str) -> RequestKind:
    kind = RequestKind.objects.filter(slug=slug).first()
    if kind is None:
        raise Http404
    return kind


def see_other(address: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": address})
