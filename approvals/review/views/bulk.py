"""Several requests decided together: look at what is selected, decide, see what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals.lifecycle.bulk import MOST_TOGETHER
from approvals.models import Decision
from approvals.review.bulk import ids_of, picks_of, summary_of
from approvals.review.bulk_form import BulkForm
from approvals.review.bulk_results import Refused, Results, results_of
from approvals.review.bulk_rows import find_all
from approvals.review.bulk_sending import decide_each, undo_each
from approvals.review.closed import from_word
from approvals.review.rows import symbol_of
from approvals.review.selection import Selection
from approvals.review.views.answers import (
    ReviewerRequest,
    see_other,
    signed_in,
    unchanged,
    versioned,
)

#: Where a session keeps what refused the requests of the last press, for the page after it.
_REFUSED = "bulk_refused"
Read = TypeVar("Read")


@require_safe
@signed_in
def bulk(request: ReviewerRequest) -> HttpResponse:
    """What is selected (`id`, many times), before anything is decided.

    404 where none of it is there for this person, or an id is none.
    """
    return _summary(request, _read(ids_of, request.GET.getlist("id")))


@require_POST
@signed_in
def decide_together(request: ReviewerRequest) -> HttpResponse:
    """Decide each by itself; 303 to what came of them, 422 mend the form: nothing is decided.

    `item`, many times: a request as the summary showed it; `id`, many times: what it left out.
    Sent twice it comes to the same. 404 as `bulk`.
    """
    picks = _read(picks_of, request.POST.getlist("item"))
    left_out = _read(ids_of, request.POST.getlist("id"))
    ids = [pick.id for pick in picks]
    found = find_all(request.user, ids[:MOST_TOGETHER], Decision.objects.standing())
    kinds = {each.kind for each in found}
    form = BulkForm(next(iter(kinds), None), request.POST)
    if len(kinds) != 1 or len(picks) > MOST_TOGETHER or not form.is_valid():
        return _summary(request, list(dict.fromkeys([*ids, *left_out])), form)
    refused = decide_each(
        found,
        {pick.id: pick for pick in picks},
        reviewer=request.user,
        verdict=form.verdict,
        comment=form.said,
    )
    told = {str(pk): why for pk, why in refused.items()}
    request.session[_REFUSED] = Refused(timezone.now(), told).to_keep
    return see_other(_results_address(request, ids))


@require_safe
@signed_in
def results(request: ReviewerRequest) -> HttpResponse:
    """What came of the requests `shown`; htmx looks again while some are under way (304)."""
    now = timezone.now()
    ids = _shown(request.GET)
    refused = Refused.kept(request.session.get(_REFUSED))
    found = results_of(request.user, ids, refused, now)
    if not found.rows:
        raise Http404
    if request.htmx and unchanged(request, found.version):
        return versioned(HttpResponse(status=304), found.version)
    template = f"bulk/results.html{'#results' if request.htmx else ''}"
    context = _results_context(request, found, now)
    return versioned(render(request, template, context), found.version)


@require_POST
@signed_in
def undo_together(request: ReviewerRequest) -> HttpResponse:
    """303 to what came of it: `undo` is the id of one of those `shown`, or `all`."""
    ids = _shown(request.POST)
    wanted = request.POST.get("undo", "")
    picked = ids if wanted == "all" else [pk for pk in _read(ids_of, [wanted]) if pk in ids]
    found = results_of(request.user, picked, Refused(), timezone.now())
    if not found.rows:
        raise Http404
    # Pressed for one, its reason is told; pressed for all, only what could be undone is tried.
    tried = [row for row in found.rows if wanted != "all" or (row.held and row.held.may_undo)]
    undone, kept = undo_each([row.request for row in tried], reviewer=request.user)
    if undone:
        told = _("Taken back; nothing was sent.")
        if undone > 1:
            told = _("%(count)d taken back; nothing was sent.") % {"count": undone}
        messages.success(request, told)
    for why in kept:
        messages.warning(request, why)
    if not tried and found.decided:
        messages.warning(request, _("It is too late to take them back."))
    return see_other(_results_address(request, ids))


def _summary(
    request: ReviewerRequest, ids: list[int], form: BulkForm | None = None
) -> HttpResponse:
    now = timezone.now()
    selection = Selection.shown(request.GET, request.user)
    summary = summary_of(request.user, ids, now)
    if ids and not summary.found:
        raise Http404
    kind = summary.kind
    context = {
        "selection": selection,
        "summary": summary,
        "count": len(summary.items),
        "most": MOST_TOGETHER,
        "form": form or BulkForm(kind),
        "symbol": symbol_of(kind),
        "only_votes": sum(
            item.request.required_approvals > item.votes_after for item in summary.items
        ),
        "here": f"{reverse('approvals:bulk')}?{_query(selection, ids)}",
        "others": [
            (other, f"{reverse('approvals:bulk')}?{_query(selection, other.ids)}")
            for other in summary.other_kinds
        ],
        "items": [
            (item, f"{reverse('approvals:bulk')}?{_query(selection, _but(ids, item.request.pk))}")
            for item in summary.items
        ],
        "now": now,
        "nav": {"current": ""},
        "where": _("Decide together"),
    }
    return render(request, "bulk/summary.html", context, status=422 if form else 200)


def _but(ids: list[int], left_out: int) -> list[int]:
    return [pk for pk in ids if pk != left_out]


def _query(selection: Selection, ids: list[int]) -> str:
    return urlencode([*selection.named_words.items(), *(("id", pk) for pk in ids)])


def _results_context(request: ReviewerRequest, found: Results, now: datetime) -> dict[str, Any]:
    selection = Selection.shown(request.GET, request.user)
    return {
        "selection": selection,
        "results": found,
        "shown_ids": ".".join(str(row.request.pk) for row in found.rows),
        "poll_url": request.get_full_path() if found.moves else "",
        "now": now,
        "nav": {"current": ""},
        "where": _("Decided together"),
    }


def _results_address(request: ReviewerRequest, ids: list[int]) -> str:
    selection = Selection.shown(request.GET, request.user)
    words = {**selection.named_words, "shown": ".".join(map(str, ids))}
    return f"{reverse('approvals:bulk-results')}?{urlencode(words)}"


def _shown(words: Mapping[str, str]) -> list[int]:
    return _read(from_word, words.get("shown", ""))


def _read(reader: Callable[[Any], Read], words: Any) -> Read:
    """What READER makes of WORDS; 404 where they are none of ours."""
    try:
        return reader(words)
    except ValueError as error:
        raise Http404 from error
