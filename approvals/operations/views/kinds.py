"""Kinds of request: the list, one of them, made and changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from approvals import keeping
from approvals.errors import InvalidFields, StalePage
from approvals.keeping import desk
from approvals.models import RequestKind
from approvals.operations.durations import words_of
from approvals.operations.kind_forms import JsonField, KindForm, NewKindForm, requirement_rows
from approvals.operations.settings_lists import latest_of, listed_kinds, may_keep, recent_changes
from approvals.operations.views.gate import OperatorRequest
from approvals.operations.views.keepers import (
    check_may_keep,
    for_those_who_look,
    kind_or_404,
    see_other,
)
from approvals.presentation import KINDS

_NAV = {"nav": {"current": "kinds"}, "where": gettext_lazy("Kinds")}


@require_safe
@for_those_who_look
def kinds(request: OperatorRequest) -> HttpResponse:
    """Every kind; they belong to no single source."""
    context = {"kinds": listed_kinds(), "may_keep": may_keep(request.user), **_NAV}
    return render(request, "operations/kinds.html", context)


@require_safe
@for_those_who_look
def kind(request: OperatorRequest, slug: str) -> HttpResponse:
    """One kind: what it requires, its clocks, and how its latest request is laid out."""
    row = kind_or_404(slug)
    presentation = row.presentation or KINDS.get(row.slug, {})
    context = {
        "kind": row,
        "requirements": row.requirements.select_related("group").order_by("group__name"),
        "default_people": row.default_users.order_by("username"),
        "default_teams": row.default_groups.order_by("name"),
        "timeout": words_of(row.timeout_seconds) if row.timeout_seconds else "",
        "due": words_of(row.due_in_seconds) if row.due_in_seconds else "",
        "presentation": presentation,
        "presentation_text": JsonField().prepare_value(presentation),
        "example": latest_of(row, request.user),
        "changes": recent_changes(desk.kind_subject(row.slug)),
        "may_keep": may_keep(request.user),
        "now": timezone.now(),
        **_NAV,
    }
    return render(request, "operations/kind.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def new_kind(request: OperatorRequest) -> HttpResponse:
    """The form; 303 made, 422 something to mend."""
    check_may_keep(request)
    if request.method != "POST":
        return _form(request, NewKindForm(), requirement_rows())
    form, rows = NewKindForm(request.POST), requirement_rows(request.POST)
    if not (form.is_valid() & rows.is_valid()):
        return _form(request, form, rows, status=422)
    slug = form.cleaned_data["slug"]
    try:
        row = keeping.make_kind(slug, form.fields_posted(rows), admin=request.user)
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return _form(request, form, rows, status=422)
    return _done(
        request,
        slug,
        _("%(label)s is made. Senders name it %(slug)s.") % {"label": row.label, "slug": slug},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def change_kind(request: OperatorRequest, slug: str) -> HttpResponse:
    """The form; 303 changed, 422 something to mend, 409 somebody changed it meanwhile."""
    row = kind_or_404(slug)
    check_may_keep(request)
    if request.method != "POST":
        seen = desk.version_of(desk.kind_subject(slug))
        return _form(request, KindForm.of(row, seen), requirement_rows(kind=row), row)
    form, rows = KindForm(request.POST), requirement_rows(request.POST)
    if not (form.is_valid() & rows.is_valid()):
        return _form(request, form, rows, row, status=422)
    try:
        changed = keeping.change_kind(
            slug, form.fields_posted(rows), admin=request.user, seen=form.cleaned_data["seen"] or 0
        )
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return _form(request, form, rows, row, status=422)
    except StalePage as refusal:
        posted = request.POST.copy()
        posted["seen"] = str(desk.version_of(desk.kind_subject(slug)))
        again = KindForm(posted)
        return _form(request, again, rows, row, conflict=str(refusal), status=409)
    words = _("%(label)s is changed, for requests that come from now on.") % {
        "label": form.cleaned_data["label"]
    }
    return _done(request, slug, words if changed else _("Nothing was different."))


def _done(request: OperatorRequest, slug: str, words: str) -> HttpResponse:
    messages.success(request, words)
    return see_other(reverse("approvals:kind", args=[slug]))


def _form(
    request: OperatorRequest,
    form: KindForm,
    rows: Any,
    row: RequestKind | None = None,
    *,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "rows": rows, "kind": row, "conflict": conflict, **_NAV}
    return render(request, "operations/kind_form.html", context, status=status)
