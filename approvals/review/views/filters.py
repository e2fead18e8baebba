"""Narrowing a list, and keeping what was narrowed under a name."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals.models.facets import facets_of
from approvals.models.saved_view import saved_by
from approvals.review import saved as desk
from approvals.review.forms import FilterForm, SaveViewForm
from approvals.review.selection import PAST, Selection
from approvals.review.views.answers import ReviewerRequest, answer, see_other, signed_in


@require_safe
@signed_in
def narrow(request: ReviewerRequest) -> HttpResponse:
    """The form that narrows a list; htmx gets it for the head of that list.

    404 for a list that cannot be narrowed.
    """
    selection = _narrowable(request)
    return _form(request, selection, SaveViewForm())


@require_POST
@signed_in
def save_view(request: ReviewerRequest) -> HttpResponse:
    """Keep a list under a name: 303 to it, 422 mend the name or remove another first."""
    selection = _narrowable(request)
    form = SaveViewForm(request.POST)
    if form.is_valid():
        try:
            words = selection.named_words
            desk.save(request.user, name=form.cleaned_data["name"], words=words)
        except desk.NotSaved as refusal:
            form.add_error("name", str(refusal))
        else:
            return see_other(selection.at().address)
    return _form(request, selection, form, status=422)


@require_POST
@signed_in
def remove_view(request: ReviewerRequest, view_id: int) -> HttpResponse:
    """Forget one's saved view; 404 if there is none of one's own."""
    if not desk.remove(request.user, view_id):
        raise Http404
    messages.success(request, _("The saved view is removed; its requests are where they were."))
    return see_other(Selection.usual(request.user).address)


def _narrowable(request: ReviewerRequest) -> Selection:
    selection = Selection.named(request.GET, request.user)
    if selection is None or selection.view in PAST:
        raise Http404
    return selection


def _form(
    request: ReviewerRequest, selection: Selection, naming: SaveViewForm, *, status: int = 200
) -> HttpResponse:
    facets = facets_of(selection.unfiltered().walk(request.user))
    context = {
        "selection": selection.at(),
        "form": FilterForm(facets, selection.filter),
        "naming": naming,
        "saved": saved_by(request.user),
        "nav": {"current": selection.view},
        "where": _("Filter"),
    }
    return answer(request, "queue/filter.html", context, fragment="form", status=status)
