"""All that the page of one request shows, gathered for its template."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals import policy
from approvals.lifecycle import hold
from approvals.models import (
    ApprovalRequest,
    CallbackDelivery,
    Execution,
    User,
)
from approvals.models.panel import settling_of
from approvals.models.queue import NEEDS_ME
from approvals.models.rights import OPERATE
from approvals.models.sight import seen_by
from approvals.presentation import headline_amount
from approvals.review import presence
from approvals.review.asking import prospects_of
from approvals.review.changes import edits_made
from approvals.review.facts import facts_of, headline, poll_seconds
from approvals.review.forms import CommentForm, DecisionForm
from approvals.review.futures import futures_of
from approvals.review.held import held_of
from approvals.review.history import history_of
from approvals.review.response_fields import values_sent
from approvals.review.rows import presentation_of, risk_tone, symbol_of
from approvals.review.selection import Selection
from approvals.review.thread import thread_of
from approvals.review.timeline import checked, timeline_of
from approvals.review.waiting import beat_version, pulse_of, run_of
from approvals.review.words import listed_names
from approvals.templatetags.moments import NEAR


def find(user: User, public_id: UUID) -> ApprovalRequest:
    """The request with all that its page shows of it.

    Raises:
        Http404: there is none, or USER may not see it: nobody can tell which.
    """
    rows = seen_by(user).select_related(
        "source",
        "kind",
        "execution",
        "claimed_by",
        "delivery",
        "heartbeat",
        "callback_check",
        "held_answer__decision__reviewer",
    )
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def panel_version(user: User, public_id: UUID, now: datetime, *, looks: bool = True) -> str:
    """A word that changes whenever the panel would; one statement.

    Its end, of BEAT_WORD signs, changes with the heartbeat alone. While the request waits, it
    is noted that USER looks at it.

    Raises:
        Http404: as `find`.
    """
    settling = settling_of(user, public_id)
    if settling is None:
        raise Http404
    request, delivery, execution = settling.request, settling.delivery, settling.execution
    told = [
        *(request.state, request.closed_at, request.answer_by),
        request.claimant_id(now),
        *_moving(delivery, "state attempts in_flight owed_at next_attempt_at settled_at"),
        *_moving(execution, "status seen_at"),
        *(settling.votes, settling.asked_last, settling.finding, settling.read_at, settling.talk),
        request.held_until,
        bool(settling.undo_until and now >= settling.undo_until),
        bool(request.held_until and now >= request.held_until),
        poll_seconds(request, now),
        bool(request.answer_by and now >= request.answer_by),
        presence.look(public_id, user, now) if looks and request.is_pending else [],
        user.pk,
    ]
    word = hashlib.sha256(repr(told).encode()).hexdigest()[:20]
    return word + beat_version(settling.heartbeat, now)


def _moving(row: CallbackDelivery | Execution | None, names: str) -> list[str]:
    return [str(getattr(row, name)) for name in names.split()] if row else []


def panel_context(request: ApprovalRequest, user: User, now: datetime) -> dict[str, Any]:
    """What templates/request/_panel.html shows: where the request stands, for USER."""
    decisions = list(request.decisions.standing().select_related("reviewer").order_by("id"))
    mine = next((d for d in decisions if d.reviewer_id == user.pk), None)
    late = bool(request.answer_by and now >= request.answer_by)
    until = request.answer_by or request.due_at
    why_not = policy.may_decide(request, user) if request.is_pending else ""
    held = held_of(request, decisions, user, now)
    is_asked = request.is_pending and request.held_until is None
    can = is_asked and not (why_not or mine or late)
    return {
        "approval": request,
        "now": now,
        "poll": poll_seconds(request, now),
        "decisions": decisions,
        "mine": mine,
        "held": held,
        "held_left": held.until - now if held else None,
        "why_not": why_not,
        "late": late,
        "may_decide": can,
        "may_operate": user.rights.may(OPERATE, request.source_id),
        "looking": request.claimant(now) if request.is_pending else None,
        "here": _here(request, user, now) if request.is_pending else "",
        "deadline": until,
        "checked": checked(request),
        **edits_made(request, decisions),
        "values_sent": values_sent(request, decisions),
        "time_left": until - now if until else None,
        "time_given": until - request.sent_at if until else None,
        "far": bool(until and until - now >= NEAR),
        "no_time": timedelta(0),
        **(prospects_of(request, decisions, asker_can=can) if is_asked else {}),
        "facts": [] if request.is_pending else facts_of(request, decisions),
        "headline": "" if request.is_pending else headline(request, decisions),
    }


def _here(request: ApprovalRequest, user: User, now: datetime) -> str:
    """Who has the page open too, but for who claimed it: that is said already."""
    claimant = request.claimant(now)
    said = claimant.display_name if claimant else ""
    names = [n for n in presence.others_at(request.public_id, user, now) if n != said]
    if not names:
        return ""
    words = ngettext(
        "%(names)s is looking at this too", "%(names)s are looking at this too", len(names)
    )
    return words % {"names": listed_names(names)}


def card_context(
    request: ApprovalRequest, user: User, now: datetime, form: DecisionForm | None = None
) -> dict[str, Any]:
    """The panel, the form beside it, and what else changes while somebody looks."""
    amount = headline_amount(request.payload_text, presentation_of(request.kind))
    form = form or DecisionForm(request)
    edits = form.edit_count
    plain = _("Approve %(amount)s") % {"amount": amount} if amount else _("Approve")
    return {
        **panel_context(request, user, now),
        "form": form,
        "approve_plain": plain,
        "approve_words": approve_with(edits) if edits else plain,
        "amount": amount,
        "undo_window": int(hold.window(request, now).total_seconds()),
        "run": run_of(request),
        "pulse": pulse_of(request, now),
        "timeline": timeline_of(request),
        "thread": thread_of(request),
        "history": history_of(request),
    }


def approve_with(edits: int) -> str:
    """What the button that approves says when EDITS go with it."""
    words = ngettext("Approve with %(count)s edit", "Approve with %(count)s edits", edits)
    return words % {"count": edits}


def page_context(
    request: ApprovalRequest,
    user: User,
    now: datetime,
    form: DecisionForm | None = None,
    selection: Selection | None = None,
) -> dict[str, Any]:
    """The whole page. SELECTION: the list it was opened out of."""
    risk = request.risk or {}
    points = [reason.get("points") or 0 for reason in risk.get("reasons", [])]
    card = card_context(request, user, now, form)
    return {
        **card,
        **futures_of(request),
        "why_silent": policy.may_comment(request, user),
        "comment_form": CommentForm(),
        "symbol": symbol_of(request.kind),
        "presentation": presentation_of(request.kind),
        "risk": risk,
        "risk_tone": risk_tone(request.risk_score),
        "most_points": max(points, default=0),
        "next_request": (selection or Selection(NEEDS_ME)).next_after(request, user),
        "where": request.kind.label,
        "nav": {"current": "needs-me" if card["may_decide"] else ""},
    }
