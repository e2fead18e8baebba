"""Personal tokens: list, create (shown once), revoke."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals.models import PersonalToken
from approvals.review import tokens as desk
from approvals.review.forms import TokenForm
from approvals.review.views.answers import ReviewerRequest, see_other, signed_in


@require_safe
@signed_in
def tokens(request: ReviewerRequest) -> HttpResponse:
    """One's own tokens, youngest first."""
    return _page(request, TokenForm())


@require_POST
@signed_in
def create_token(request: ReviewerRequest) -> HttpResponse:
    """The page with the new token in it: it is shown this once."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    row, text = desk.create(request.user, now=timezone.now(), **form.cleaned_data)
    return _page(request, TokenForm(), created=row, text=text)


@require_POST
@signed_in
def revoke_token(request: ReviewerRequest, token_id: int) -> HttpResponse:
    """303 revoked; 404 where this person has no such token."""
    if not desk.revoke(request.user, token_id, now=timezone.now()):
        raise Http404
    messages.success(request, _("The token is revoked. Whoever uses it is refused from now on."))
    return see_other(reverse("approvals:tokens"))


def _page(
    request: ReviewerRequest, form: TokenForm, *, status: int = 200, **told: Any
) -> HttpResponse:
    rows = PersonalToken.objects.filter(user=request.user).order_by("-created_at")
    context = {
        "form": form,
        "tokens": rows[:100],
        "now": timezone.now(),
        "where": _("Tokens"),
        **told,
    }
    return render(request, "tokens/page.html", context, status=status)
