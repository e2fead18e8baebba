"""Sources: the list, one of them, made, changed, disabled and enabled."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import keeping
from approvals.errors import InvalidFields, StalePage
from approvals.keeping import desk
from approvals.models import CallbackSource
from approvals.operations.broken import broken_ways
from approvals.operations.settings_lists import listed_sources, may_keep, sources_for
from approvals.operations.source_forms import NewSourceForm, SourceForm
from approvals.operations.views.gate import OperatorRequest
from approvals.operations.views.keepers import (
    check_may_keep,
    for_those_who_look,
    see_other,
    source_or_404,
)
from approvals.operations.views.source_page import Shown, source_page


@require_safe
@for_those_who_look
def sources(request: OperatorRequest) -> HttpResponse:
    """Every source this person oversees or keeps."""
    now = timezone.now()
    context = {
        "sources": listed_sources(request.user, now),
        "broken": broken_ways(sources_for(request.user), now),
        "now": now,
        "may_keep": may_keep(request.user),
        "nav": {"current": "sources"},
        "where": _("Sources"),
    }
    return render(request, "operations/sources.html", context)


@require_safe
@for_those_who_look
def source(request: OperatorRequest, slug: str) -> HttpResponse:
    """One source: facts, how to send, secrets, keys, roles, changes."""
    return source_page(request, source_or_404(request, slug))


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def new_source(request: OperatorRequest) -> HttpResponse:
    """The form; posted, the new source's page with its secret and key in it, this once."""
    check_may_keep(request)
    if request.method != "POST":
        return _form(request, NewSourceForm())
    form = NewSourceForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        made = keeping.make_source(
            form.cleaned_data["slug"], form.fields_posted(), admin=request.user
        )
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return _form(request, form, status=422)
    shown = Shown(
        _("%(name)s is made.") % {"name": made.source.name}, secret=made.secret, key=made.key
    )
    return source_page(request, made.source, shown=shown)


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def change_source(request: OperatorRequest, slug: str) -> HttpResponse:
    """The form; 303 changed, 422 something to mend, 409 somebody changed it meanwhile."""
    row = source_or_404(request, slug)
    check_may_keep(request)
    if request.method != "POST":
        seen = desk.version_of(desk.source_subject(slug))
        return _form(request, SourceForm.of(row, seen), row)
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _form(request, form, row, status=422)
    try:
        changed = keeping.change_source(
            slug, form.fields_posted(), admin=request.user, seen=form.cleaned_data["seen"] or 0
        )
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return _form(request, form, row, status=422)
    except StalePage as refusal:
        posted = request.POST.copy()
        posted["seen"] = str(desk.version_of(desk.source_subject(slug)))
        again = SourceForm(posted)
        return _form(request, again, row, conflict=str(refusal), status=409)
    words = _("%(name)s is changed.") % {"name": form.cleaned_data["name"]}
    return _done(request, slug, words if changed else _("Nothing was different."))


@require_POST
@for_those_who_look
def disable_source(request: OperatorRequest, slug: str) -> HttpResponse:
    """303: no message of it is taken from now on."""
    row = source_or_404(request, slug)
    check_may_keep(request)
    keeping.disable_source(slug, admin=request.user)
    return _done(
        request,
        slug,
        _("%(name)s is disabled. Its messages are refused from now on.") % {"name": row.name},
    )


@require_POST
@for_those_who_look
def enable_source(request: OperatorRequest, slug: str) -> HttpResponse:
    """303: its messages are taken again."""
    row = source_or_404(request, slug)
    check_may_keep(request)
    keeping.enable_source(slug, admin=request.user)
    return _done(
        request, slug, _("%(name)s is enabled. Its messages are taken again.") % {"name": row.name}
    )


def _done(request: OperatorRequest, slug: str, words: str) -> HttpResponse:
    messages.success(request, words)
    return see_other(reverse("approvals:source", args=[slug]))


def _form(
    request: OperatorRequest,
    form: SourceForm,
    row: CallbackSource | None = None,
    *,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "source": row,
        "conflict": conflict,
        "nav": {"current": "sources"},
        "where": _("Sources"),
    }
    return render(request, "operations/source_form.html", context, status=status)
