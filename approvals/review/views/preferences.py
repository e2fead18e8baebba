"""One's own preferences: a page with a form."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from approvals.review.preferences import PreferencesForm, keep
from approvals.review.views.answers import ReviewerRequest, see_other, signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def preferences(request: ReviewerRequest) -> HttpResponse:
    """The form; 303 once it is kept, 422 where a choice is none of ours."""
    now = timezone.now()
    if request.method != "POST":
        user = request.user
        known = {"language": user.language, "time_zone": user.time_zone}
        form = PreferencesForm(now=now, initial=known)
        return _page(request, form)
    form = PreferencesForm(request.POST, now=now)
    if not form.is_valid():
        return _page(request, form, status=422)
    keep(request.user, **form.cleaned_data)
    # What the next page says, in the language just chosen.
    translation.activate(form.cleaned_data["language"] or get_language_from_request(request))
    messages.success(request, _("Your preferences are kept."))
    return see_other(reverse("approvals:preferences"))


def _page(request: ReviewerRequest, form: PreferencesForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "where": _("Preferences"), "now": timezone.now()}
    return render(request, "preferences/page.html", context, status=status)
