"""All that the page of one request shows, gathered for its template."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals import policy
from approvals.lifecycle import hold
from approvals.models import (
    ApprovalRequest,
    Assignment,
    CallbackDelivery,
    Decision,
    Execution,
    User,
)
from approvals.models.outlook import Outlook, outlook_of
from approvals.models.panel import settling_of
from approvals.models.queue import NEEDS_ME
from approvals.models.rights import OPERATE
from approvals.models.sight import seen_by
from approvals.policy import Place, Tally
from approvals.presentation import headline_amount
from approvals.review import presence
from approvals.review.changes import edits_made
from approvals.review.facts import facts_of, headline, poll_seconds
from approvals.review.forms import CommentForm, DecisionForm
from approvals.review.futures import futures_of
from approvals.review.held import held_of
from approvals.review.history import history_of
from approvals.review.response_fields import values_sent
from approvals.review.rows import SYMBOLS, presentation_of, risk_tone
from approvals.review.selection import Selection
from approvals.review.thread import thread_of
from approvals.review.timeline import checked, timeline_of
from approvals.review.waiting import beat_version, pulse_of, run_of
from approvals.review.words import listed_names, of_group, one_of_names
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
    claimed = request.claimed_until is not None and request.claimed_until > now
    told = [
        *(request.state, request.closed_at, request.answer_by),
        request.claimed_by_id if claimed else None,
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
    deadline = request.answer_by or request.due_at
    claimed = request.claimed_until is not None and request.claimed_until > now
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
        "looking": request.claimed_by if claimed and request.is_pending else None,
        "here": _here(request, user, now) if request.is_pending else "",
        "deadline": deadline,
        "checked": checked(request),
        **edits_made(request, decisions),
        "values_sent": values_sent(request, decisions),
        "time_left": deadline - now if deadline else None,
        "time_given": deadline - request.sent_at if deadline else None,
        "far": bool(deadline and deadline - now >= NEAR),
        "no_time": timedelta(0),
        **(_prospects(request, decisions, asker_can=can) if is_asked else {}),
        "facts": [] if request.is_pending else facts_of(request, decisions),
        "headline": "" if request.is_pending else headline(request, decisions),
    }


def _here(request: ApprovalRequest, user: User, now: datetime) -> str:
    """Who has the page open too, but for who claimed it: that is said already."""
    claimed = request.claimed_until is not None and request.claimed_until > now
    said = request.claimed_by.display_name if claimed and request.claimed_by else ""
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
        "symbol": SYMBOLS.get(request.kind.slug, "inbox"),
        "presentation": presentation_of(request.kind),
        "risk": risk,
        "risk_tone": risk_tone(request.risk_score),
        "most_points": max(points, default=0),
        "next_request": (selection or Selection(NEEDS_ME)).next_after(request, user),
        "where": request.kind.label,
        "nav": {"current": "needs-me" if card["may_decide"] else ""},
    }


def _prospects(
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
