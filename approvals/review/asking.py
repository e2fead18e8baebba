"""Who is asked, how many approvals it takes, and whether they can still be had, in words."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals import policy
from approvals.models import ApprovalRequest, Assignment, Decision
from approvals.models.outlook import Outlook, outlook_of
from approvals.policy import Place, Tally
from approvals.review.words import listed_names, of_group, one_of_names


def prospects_of(
    request: ApprovalRequest, decisions: list[Decision], *, asker_can: bool
) -> dict[str, str]:
    """Who is asked, in words, and whether those who are can still decide a pending request."""
    counted = policy.tally(request, decisions)
    one_of_all = request.required_approvals == 1 and not counted.places[0].group
    # Where the asker can decide alone, nothing needs to be looked up.
    outlook = Outlook.OPEN if asker_can and one_of_all else outlook_of(request)
    return {
        "asked": asked_sentence(request, counted, nobody=outlook is Outlook.NOBODY),
        "outlook": outlook.value,
        "outlook_words": str(_OUTLOOK_WORDS[outlook]),
    }


_OUTLOOK_WORDS = {
    Outlook.OPEN: "",
    Outlook.NOBODY: gettext_lazy(
        "Those who were asked have left, lost the reviewer role, want it themselves "
        "or have voted. An operator can ask others; until then only the deadline can "
        "end this."
    ),
    Outlook.SHORT: gettext_lazy(
        "Too few of those asked may still approve; rejecting is possible. An "
        "operator can ask others."
    ),
}


def asked_sentence(request: ApprovalRequest, counted: Tally, *, nobody: bool = False) -> str:
    """Who is asked, how many approvals it takes, and who gave one, in words.

    NOBODY: none of them can decide it any more.
    """
    assignments = Assignment.objects.filter(request=request).select_related("user", "group")
    names = [str(a.user.display_name if a.user else a.group) for a in assignments.order_by("id")]
    if nobody:
        asked = _("Asked: %(names)s.") % {"names": listed_names(names)}
    else:
        asked = _("%(names)s can decide this.") % {"names": one_of_names(names)}
    if request.required_approvals == 1 and not counted.places[0].group:
        return asked
    needed = f"{_needed(counted.places)}; {_so_far(counted)}."
    if {place.group for place in counted.places} == set(names):
        return needed  # those who must approve are those who are asked
    return f"{asked} {needed}"


def _needed(places: Sequence[Place]) -> str:
    """`1 of Finance and 1 of Security must approve`, `2 approvals are needed`."""
    if not any(place.group for place in places):
        total = sum(place.approvals for place in places)
        words = ngettext("%(count)s approval is needed", "%(count)s approvals are needed", total)
        return words % {"count": total}
    named = [_place(place.approvals, place.group) for place in places]
    return _("%(places)s must approve") % {"places": listed_names(named)}


def _place(approvals: int, group: str) -> str:
    if group:
        return of_group(approvals, group)
    return _("%(count)s more") % {"count": approvals}


def _so_far(counted: Tally) -> str:
    approved = [decision.who for decision in counted.agreeing]
    waiting = [
        _place(place.missing, place.group)
        for place in counted.places
        if place.missing and len(counted.places) > 1
    ]
    to_go = listed_names(waiting) or str(counted.missing)
    named = {"who": listed_names(approved), "missing": to_go}
    if not approved:
        return _("nobody has approved yet, %(missing)s to go") % named
    return _("%(who)s approved, %(missing)s to go") % named
