"""One request: its page, and the panel that is looked at again while it settles."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.review.page import card_context, find, page_context, panel_version
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned

PAGE = "request/page.html"


@require_safe
@signed_in
def show(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """The page of a request this person may see; 404 for any other."""
    now = timezone.now()
    # The version first: what changes in between is then shown by the next look.
    version = panel_version(request.user, public_id, now)
    context = page_context(find(request.user, public_id), request.user, now)
    return render(request, PAGE, context | {"version": version})


@require_safe
@signed_in
def panel(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """Where the request stands; 304 while nothing changed.

    `open` says that a form stands below the panel: its buttons go when the request is
    decided, what was typed stays. `held` says that they are gone for a decision that may yet
    be taken back: then they return. Whoever may decide and has no form gets one.
    """
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = card_context(find(request.user, public_id), request.user, now)
    acts_gone = "held" in request.GET
    form_stands = acts_gone or "open" in request.GET
    context |= {"version": version, "form_stands": form_stands, "acts_gone": acts_gone}
    return versioned(render(request, f"{PAGE}#update", context), version)
