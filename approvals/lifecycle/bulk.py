"""Several requests decided together: which may be, and which need a look of their own.

Each is decided by `lifecycle.decide`, in a transaction of its own, like any other. This only
says what must not be waved through with others.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.errors import NotTogether, StalePage
from approvals.models import ApprovalRequest, Decision
from approvals.models.filter import SOME_RISK
from approvals.states import BulkRule, Verdict

#: So many at once, at most: what a page of the queue shows.
MOST_TOGETHER = 50


def check_together(request: ApprovalRequest, former: Sequence[Decision], *, opened: bool) -> None:
    """Return if REQUEST may be decided together with others.

    FORMER: the decisions on it that stand. OPENED: whether who decides has opened its
    page (models.opening); then its risk does not matter.

    Raises:
        NotTogether: its kind forbids it, it has a form, who approved first changed the
            payload, or it was not opened and its risk is not known to be low.
    """
    why = _why_alone(request, former) or ("" if opened else _why_to_open(request))
    if why:
        raise NotTogether(why)


def check_votes(former: Sequence[Decision], seen: int | None) -> None:
    """Return if as many decisions stand as were SEEN; None: nobody says how many.

    Raises:
        StalePage: somebody has decided since, or has taken theirs back.
    """
    if seen is None or len(former) == seen:
        return
    if len(former) > seen:
        last = former[-1]  # an approval: a rejection leaves nothing to decide
        raise StalePage(
            _("%(who)s approved this since you saw it. Look at it again, then decide.")
            % {"who": last.who}
        )
    raise StalePage(_("Somebody took a decision on this back. Look at it again, then decide."))


def _why_alone(request: ApprovalRequest, former: Sequence[Decision]) -> str:
    if request.kind.bulk == BulkRule.NEVER:
        return _("Requests of this kind are decided one by one.")
    if request.response_schema:
        return _("It has a form to fill in.")
    first = next((each for each in former if each.verdict == Verdict.APPROVED), None)
    if first is None or not first.edits_text:
        return ""
    edits = len(first.edits)
    return ngettext(
        "%(who)s approved it with %(count)d edit: look at it first.",
        "%(who)s approved it with %(count)d edits: look at them first.",
        edits,
    ) % {"who": first.who, "count": edits}


def _why_to_open(request: ApprovalRequest) -> str:
    if request.kind.bulk == BulkRule.OPENED:
        return _("Open it from the list first.")
    if request.risk_score is None:
        return _("Its risk is not known: open it from the list first.")
    if request.risk_score >= SOME_RISK:
        told = _("Its risk is %(score)d: open it from the list first.")
        return told % {"score": request.risk_score}
    return ""
