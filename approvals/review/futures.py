"""What happens next, for each of three ends: the sender's words, else what is certain."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import ApprovalRequest
from approvals.review.words import clock
from approvals.states import OnReject, OnTimeout


def futures_of(request: ApprovalRequest) -> dict[str, str]:
    """The context of parts/outcomes.html."""
    return {
        "if_approved": request.if_approved or _if_approved(request),
        "if_rejected": request.if_rejected or _if_rejected(request),
        "if_nobody": _if_nobody(request),
    }


def _if_approved(request: ApprovalRequest) -> str:
    if request.approve_with is not None:
        return _("The function receives “%(approve_with)s” and goes on.") % {
            "approve_with": _short(request.approve_with)
        }
    return _("The callback succeeds: the function receives the approval and goes on.")


def _if_rejected(request: ApprovalRequest) -> str:
    if request.on_reject == OnReject.FAILURE:
        return _(
            "The callback fails with your comment. Unless the function catches that, its "
            "execution fails."
        )
    if request.reject_with is not None:
        return _("The function receives “%(reject_with)s” and goes on.") % {
            "reject_with": _short(request.reject_with)
        }
    return _("The function receives the rejection and goes on; what follows is up to its code.")


def _if_nobody(request: ApprovalRequest) -> str:
    if request.answer_by is None:
        return request.if_nobody or _("It waits on: there is no deadline.")
    own = request.if_nobody or _DEFAULTS[OnTimeout(request.on_timeout)]
    at = request.answer_by
    if request.on_timeout == OnTimeout.LAPSE and request.callback_expires_at:
        at = request.callback_expires_at
    return _("At %(at)s: %(what)s") % {"at": clock(at), "what": own}


_DEFAULTS = {
    OnTimeout.FAIL: gettext_lazy(
        "the callback fails as expired. Unless the function catches that, its execution fails."
    ),
    OnTimeout.REJECT: gettext_lazy("the function is told the same as after a rejection."),
    OnTimeout.APPROVE: gettext_lazy("the function is told the same as after an approval."),
    OnTimeout.LAPSE: gettext_lazy(
        "the callback times out at AWS; what follows is up to the function's code."
    ),
}


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
