"""What was just decided, told on the page of the request that opened after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, Decision, User
from approvals.review.facts import headline, poll_seconds
from approvals.review.held import Held, held_of
from approvals.review.page import find, panel_version
from approvals.review.selection import Selection
from approvals.states import DeliveryState

#: In the address of a request that opens by itself: the one decided before.
JUST_DECIDED = "decided"


def onward(request: ApprovalRequest, selection: Selection, user: User) -> str:
    """The address of what opens once USER has decided REQUEST; "" where nothing is left."""
    following = selection.next_after(request, user)
    if following is None:
        return ""
    told = urlencode({JUST_DECIDED: request.public_id})
    return f"{following.get_absolute_url()}{selection.words}&{told}"


def just_decided(user: User, words: Mapping[str, str], now: datetime) -> dict[str, Any] | None:
    """What the toast shows of the request that WORDS of an address name as just decided.

    None where they name none, or none that USER may see and has decided.
    """
    try:
        public_id = UUID(words.get(JUST_DECIDED, ""))
        version = panel_version(user, public_id, now, looks=False)
        request = find(user, public_id)
    except (ValueError, Http404):
        return None
    mine = request.decisions.standing().filter(reviewer=user).exists()
    return toast_context(request, user, now, version) if mine else None


def toast_context(
    request: ApprovalRequest, user: User, now: datetime, version: str
) -> dict[str, Any]:
    """REQUEST, how far it has come in a few words, and how soon to look again.

    What is held can be taken back from here, by USER whose decision it is.
    """
    decisions = list(request.decisions.standing().select_related("reviewer").order_by("id"))
    held = held_of(request, decisions, user, now)
    moves = not request.is_pending or (held is not None and held.is_last)
    return {
        "request": request,
        "words": progress(request, decisions, held),
        "held": held,
        "poll": poll_seconds(request, now) if moves else 0,
        "now": now,
        "version": version,
    }


def progress(request: ApprovalRequest, decisions: Sequence[Decision], held: Held | None) -> str:
    """How far REQUEST has come, for who decided it; DECISIONS that stand, what is HELD of it."""
    if not request.is_pending:
        delivery = getattr(request, "delivery", None)
        taken = delivery is not None and delivery.state == DeliveryState.DELIVERED
        title = headline(request, decisions)
        return _("%(ended)s; AWS took the answer.") % {"ended": title} if taken else title
    if held and held.is_last:
        named = {"word": held.decision.word, "who": held.decision.who}
        if held.is_over:
            return _("%(word)s by %(who)s, it is on its way.") % named
        return _("%(word)s by %(who)s, not sent yet.") % named
    if not decisions:
        return _("Taken back; nothing was sent.")
    return _("Your vote is recorded; it waits for others.")
