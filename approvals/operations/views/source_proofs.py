"""Secrets, keys and roles of one source: each press is one verb of the desk.

An answer that shows a secret, or a form to mend, stands at the address of the press:
whoever asks for that address again without pressing is led to the source's page.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from approvals import keeping
from approvals.errors import InvalidFields
from approvals.keeping import Overlap
from approvals.models import SourceKey
from approvals.operations.settings_lists import right
from approvals.operations.source_forms import KeyForm, RoleForm, SecretForm
from approvals.operations.views.gate import OperatorRequest
from approvals.operations.views.keepers import (
    check_may_keep,
    for_those_who_look,
    see_other,
    source_or_404,
)
from approvals.operations.views.source_page import Shown, source_page


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def make_secret(request: OperatorRequest, slug: str) -> HttpResponse:
    """200 with the secret, this once; 303 where the admin brought it; 422 to mend."""
    source = source_or_404(request, slug)
    if request.method != "POST":
        return _back(slug)
    check_may_keep(request)
    form = SecretForm(request.POST, auto_id="secret-%s")
    if not form.is_valid():
        return source_page(request, source, secret_form=form, status=422)
    overlap = Overlap(form.cleaned_data["overlap"])
    try:
        text = keeping.make_secret(
            slug, admin=request.user, overlap=overlap, given=form.cleaned_data["given"]
        )
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return source_page(request, source, secret_form=form, status=422)
    if not text:
        return _done(request, slug, _("The secret you brought counts from now on."))
    return source_page(request, source, shown=Shown(_("The new secret counts now."), secret=text))


@require_POST
@for_those_who_look
def end_secret(request: OperatorRequest, slug: str, secret_id: int) -> HttpResponse:
    """303 ended, 404 where no such secret lives."""
    source_or_404(request, slug)
    check_may_keep(request)
    if not keeping.end_secret(slug, secret_id, admin=request.user):
        raise Http404
    return _done(request, slug, _("The secret is ended. Messages signed with it are refused."))


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def make_key(request: OperatorRequest, slug: str) -> HttpResponse:
    """200 with the key, this once; 422 to mend."""
    source = source_or_404(request, slug)
    if request.method != "POST":
        return _back(slug)
    check_may_keep(request)
    form = KeyForm(request.POST, auto_id="key-%s")
    if not form.is_valid():
        return source_page(request, source, key_form=form, status=422)
    overlap = Overlap(form.cleaned_data["overlap"])
    purpose = form.cleaned_data["purpose"]
    try:
        text = keeping.make_key(slug, purpose=purpose, admin=request.user, overlap=overlap)
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return source_page(request, source, key_form=form, status=422)
    for_events = purpose == SourceKey.Purpose.EVENTS
    shown = Shown(_("The new key counts now."), key=text, for_events=for_events)
    return source_page(request, source, shown=shown)


@require_POST
@for_those_who_look
def end_key(request: OperatorRequest, slug: str, key_id: int) -> HttpResponse:
    """303 ended, 404 where no such key lives."""
    source_or_404(request, slug)
    check_may_keep(request)
    if not keeping.end_key(slug, key_id, admin=request.user):
        raise Http404
    return _done(request, slug, _("The key is ended. Whoever uses it is refused from now on."))


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_look
def give_role(request: OperatorRequest, slug: str) -> HttpResponse:
    """303 given, 422 to mend."""
    source = source_or_404(request, slug)
    if request.method != "POST":
        return _back(slug)
    check_may_keep(request)
    form = RoleForm(request.POST, auto_id="role-%s")
    if not form.is_valid():
        return source_page(request, source, role_form=form, status=422)
    wanted = form.cleaned(["may", "username", "group"])
    try:
        role = keeping.give_role(slug, **wanted, admin=request.user)
    except InvalidFields as refusal:
        form.complain(refusal.fields)
        return source_page(request, source, role_form=form, status=422)
    return _done(
        request,
        slug,
        _("%(user)s may %(may)s here from now on.")
        % {"user": role.user or role.group, "may": right(role.may)},
    )


@require_POST
@for_those_who_look
def take_role(request: OperatorRequest, slug: str, role_id: int) -> HttpResponse:
    """303 taken, 404 where nobody holds it."""
    source_or_404(request, slug)
    check_may_keep(request)
    if not keeping.take_role(slug, role_id, admin=request.user):
        raise Http404
    return _done(request, slug, _("The role is taken. It counts from this moment."))


def _done(request: OperatorRequest, slug: str, words: str) -> HttpResponse:
    messages.success(request, words)
    return _back(slug)


def _back(slug: str) -> HttpResponse:
    return see_other(reverse("approvals:source", args=[slug]))
