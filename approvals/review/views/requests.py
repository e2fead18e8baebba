"""One request: its page, alone or beside its list, and what is looked at again while it settles."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.review.column import column_context
from approvals.review.page import card_context, find, page_context, panel_version
from approvals.review.selection import Selection
from approvals.review.toast import just_decided, toast_context
from approvals.review.views.answers import ReviewerRequest, signed_in, unchanged, versioned

PAGE = "request/page.html"


@require_safe
@signed_in
def show(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """The page of a request this person may see; 404 for any other.

    Where the address names a list, it stands beside that; htmx gets the pane alone.
    """
    now = timezone.now()
    selection = Selection.named(request.GET, request.user)
    # The version first: what changes in between is then shown by the next look.
    version = panel_version(request.user, public_id, now)
    approval = find(request.user, public_id)
    context = page_context(approval, request.user, now, selection=selection)
    told = {"version": version, "toast": just_decided(request.user, request.GET, now)}
    return render(request, PAGE, context | told | framed(request, selection, now))


def framed(request: ReviewerRequest, selection: Selection | None, now: datetime) -> dict[str, Any]:
    """What the page of a request stands in, and what stands there beside it."""
    if selection is None:
        return {"frame": "shell/doc.html"}
    if request.htmx:
        return {"frame": "shell/pane.html", "selection": selection}
    return {"frame": "shell/split.html", **column_context(selection, request.user, now)}


@require_safe
@signed_in
def panel(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """Where the request stands; 304 while nothing changed.

    `open` says that a form stands below the panel: its buttons go when the request is
    closed, what was typed stays.
    """
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    context = card_context(find(request.user, public_id), request.user, now)
    told = {"version": version, "form_stands": "open" in request.GET}
    return versioned(render(request, f"{PAGE}#update", context | told), version)


@require_safe
@signed_in
def toast(request: ReviewerRequest, public_id: UUID) -> HttpResponse:
    """How far what was just decided has come; 304 while nothing changed."""
    now = timezone.now()
    version = panel_version(request.user, public_id, now)
    if unchanged(request, version):
        return versioned(HttpResponse(status=304), version)
    told = toast_context(find(request.user, public_id), now, version)
    return versioned(render(request, f"{PAGE}#toast", {"toast": told}), version)
