"""What was just decided, told on the page of the request that opened after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404

from approvals.models import ApprovalRequest, User
from approvals.review.facts import headline, poll_seconds
from approvals.review.page import find, panel_version
from approvals.review.selection import Selection


def onward(request: ApprovalRequest, selection: Selection, user: User) -> str:
    """The address of what opens once USER has decided REQUEST; "" where nothing is left."""
    following = selection.next_after(request, user)
    if following is None:
        return ""
    told = urlencode({"decided": request.public_id})
    return f"{following.get_absolute_url()}{selection.words}&{told}"


def just_decided(user: User, words: Mapping[str, str], now: datetime) -> dict[str, Any] | None:
    """What the toast shows of the request that WORDS of an address name as just decided.

    None where they name none, or none that USER may see and has decided.
    """
    try:
        public_id = UUID(words.get("decided", ""))
        version = panel_version(user, public_id, now)
        request = find(user, public_id)
    except (ValueError, Http404):
        return None
    mine = request.decisions.filter(reviewer=user).exists()
    return toast_context(request, now, version) if mine else None


def toast_context(request: ApprovalRequest, now: datetime, version: str) -> dict[str, Any]:
    """REQUEST, how far it has come in a few words, and how soon to look again."""
    decisions = list(request.decisions.select_related("reviewer").order_by("id"))
    waits = "Your vote is recorded; it waits for others."
    return {
        "request": request,
        "words": waits if request.is_pending else headline(request, decisions),
        "poll": 0 if request.is_pending else poll_seconds(request, now),
        "version": version,
    }
