"""What came of requests that were decided together, one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, Decision, User
from approvals.review.bulk_rows import find_all
from approvals.review.facts import ended
from approvals.review.held import Held, held_of
from approvals.review.toast import progress
from approvals.states import DeliveryState, Verdict


@dataclass(frozen=True, slots=True)
class Refused:
    """What a press refused, and WHY, by id; kept in the session of who pressed AT that moment."""

    at: datetime | None = None
    why: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def kept(cls, told: Mapping[str, Any] | None) -> Self:
        return cls(datetime.fromisoformat(told["at"]), told["why"]) if told else cls()

    @property
    def to_keep(self) -> dict[str, Any]:
        return {"at": self.at.isoformat() if self.at else "", "why": dict(self.why)}


@dataclass(frozen=True, slots=True)
class Result:
    """One request as it stands. MINE: the decision of who looks, None where none stands.

    WHY: what refused it. MOVES: it will come farther by itself.
    """

    request: ApprovalRequest
    mine: Decision | None
    words: str
    why: str
    held: Held | None
    left: timedelta | None
    moves: bool

    @property
    def tone(self) -> str:
        """ok or rejected where AWS took what they decided, risk where not, else nothing."""
        delivery = getattr(self.request, "delivery", None)
        if self.mine is None or delivery is None or delivery.is_pending:
            return ""
        if delivery.state != DeliveryState.DELIVERED:
            return "risk"
        if self.request.state != self.mine.verdict:
            return ""
        return "ok" if self.mine.verdict == Verdict.APPROVED else "rejected"


@dataclass(frozen=True, slots=True)
class Results:
    rows: list[Result]

    @property
    def decided(self) -> int:
        return sum(row.mine is not None for row in self.rows)

    @property
    def may_undo(self) -> int:
        return sum(bool(row.held and row.held.may_undo) for row in self.rows)

    @property
    def moves(self) -> bool:
        return any(row.moves for row in self.rows)

    @property
    def version(self) -> str:
        """A word that changes whenever the page would."""
        told = [
            (
                row.request.pk,
                row.words,
                row.why,
                row.tone,
                row.moves,
                row.held and row.held.may_undo,
            )
            for row in self.rows
        ]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


def results_of(user: User, ids: Sequence[int], refused: Refused, now: datetime) -> Results:
    """How the requests of IDS stand that USER may see, and what was REFUSED; two statements."""
    found = find_all(user, ids, Decision.objects.all())
    return Results([_result(request, user, refused, now) for request in found])


def _result(request: ApprovalRequest, user: User, refused: Refused, now: datetime) -> Result:
    made = list(request.decisions.all())
    standing = [decision for decision in made if decision.retracted_at is None]
    mine = next((each for each in standing if each.reviewer_id == user.pk), None)
    held = held_of(request, standing, user, now) if mine else None
    delivery = getattr(request, "delivery", None)
    on_its_way = delivery is not None and delivery.is_pending
    decided_since = mine is not None and refused.at is not None and mine.decided_at > refused.at
    return Result(
        request=request,
        mine=mine,
        words=_words(request, made, standing, user, held),
        why="" if decided_since else refused.why.get(str(request.pk), ""),
        held=held,
        left=held.until - now if held else None,
        moves=mine is not None and (held is not None or on_its_way),
    )


def _words(
    request: ApprovalRequest,
    made: Sequence[Decision],
    standing: Sequence[Decision],
    user: User,
    held: Held | None,
) -> str:
    if any(each.reviewer_id == user.pk for each in standing):
        return progress(request, standing, held)
    if not request.is_pending:
        return f"{ended(request, standing)}."
    if any(each.reviewer_id == user.pk for each in made):
        return _("Taken back; nothing was sent.")
    return _("You have not decided this.")
