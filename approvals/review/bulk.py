"""Requests before they are decided together: what goes, what it comes to, what is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals import policy
from approvals.errors import Refusal
from approvals.lifecycle import desk
from approvals.lifecycle.bulk import MOST_TOGETHER, check_together
from approvals.models import ApprovalRequest, Decision, RequestKind, User
from approvals.models.opening import opened_by
from approvals.models.standing import Standing, standings_towards
from approvals.presentation import Money, Presentation, headline_money, sums
from approvals.review.bulk_rows import find_all
from approvals.review.facts import ended
from approvals.review.rows import presentation_of, risk_tone

_ID = re.compile(r"[0-9]{1,18}")
_PICK = re.compile(r"([0-9]{1,18}):([0-9a-f]{64}):([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Pick:
    """A request as its summary showed it: the hash of its payload, the decisions on it."""

    id: int
    sha256: str
    votes: int


@dataclass(frozen=True, slots=True)
class Item:
    """One request that goes with the others."""

    request: ApprovalRequest
    votes: int
    money: Money | None
    opened: bool
    deadline: datetime | None
    left: timedelta | None

    @property
    def word(self) -> str:
        """As `picks_of` reads it."""
        return f"{self.request.pk}:{self.request.payload_sha256}:{self.votes}"

    @property
    def risk_tone(self) -> str:
        return risk_tone(self.request.risk_score)

    @property
    def votes_after(self) -> int:
        return self.votes + 1


@dataclass(frozen=True, slots=True)
class LeftOut:
    request: ApprovalRequest
    why: str


@dataclass(frozen=True, slots=True)
class OtherKind:
    """Requests of another KIND, which could be decided together by themselves."""

    kind: RequestKind
    ids: list[int]


@dataclass(frozen=True, slots=True)
class Summary:
    """What somebody selected. GONE: how many of it are not there for them (any more).

    BEYOND: how many were not looked at, as there is a most.
    """

    items: list[Item] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    other_kinds: list[OtherKind] = field(default_factory=list)
    gone: int = 0
    beyond: int = 0

    @property
    def found(self) -> list[ApprovalRequest]:
        going = [item.request for item in self.items]
        return going + [each.request for each in self.left_out]

    @property
    def kind(self) -> RequestKind | None:
        return self.items[0].request.kind if self.items else None

    @property
    def totals(self) -> list[str]:
        """What it comes to, as people read it, for each currency."""
        return sums(item.money for item in self.items if item.money)

    @property
    def without_money(self) -> int:
        return sum(item.money is None for item in self.items)

    @property
    def highest(self) -> Item | None:
        """The one of the highest risk; None where none is known."""
        known = [item for item in self.items if item.request.risk_score is not None]
        return max(known, key=lambda item: item.request.risk_score or 0, default=None)

    @property
    def without_risk(self) -> int:
        return sum(item.request.risk_score is None for item in self.items)

    @property
    def earliest(self) -> Item | None:
        dated = [item for item in self.items if item.deadline]
        return min(dated, key=lambda item: item.request.queue_at, default=None)


def ids_of(words: Iterable[str]) -> list[int]:
    """The ids in WORDS, each once.

    Raises:
        ValueError: one is none.
    """
    words = list(words)
    if not all(_ID.fullmatch(word) for word in words):
        raise ValueError("These are no requests.")
    return list(dict.fromkeys(map(int, words)))


def picks_of(words: Iterable[str]) -> list[Pick]:
    """What WORDS (of Items) name, each request once; ValueError as `ids_of`."""
    picks: dict[int, Pick] = {}
    for word in words:
        found = _PICK.fullmatch(word)
        if found is None:
            raise ValueError("These are no requests of a summary.")
        pick = Pick(int(found[1]), found[2], int(found[3]))
        picks.setdefault(pick.id, pick)
    return list(picks.values())


def summary_of(user: User, ids: Sequence[int], now: datetime) -> Summary:
    """What USER can decide together of the requests IDS; four statements however many."""
    asked, beyond = ids[:MOST_TOGETHER], len(ids[MOST_TOGETHER:])
    found = find_all(user, asked, Decision.objects.standing(), with_payload=True)
    openings = opened_by(user, asked)
    going, left_out = _sorted_out(found, user, openings, now)
    kind = _commonest_kind(going)
    others = [request for request in going if request.kind != kind]
    shapes: dict[int, Presentation] = {}
    return Summary(
        items=[_item(r, openings, shapes, now) for r in going if r.kind == kind],
        left_out=left_out + [LeftOut(request, _other_kind(request.kind)) for request in others],
        other_kinds=_by_kind(others),
        gone=len(asked) - len(found),
        beyond=beyond,
    )


def _sorted_out(
    found: Sequence[ApprovalRequest], user: User, openings: set[int], now: datetime
) -> tuple[list[ApprovalRequest], list[LeftOut]]:
    """Those of FOUND that USER can decide with others, of whatever kind, and all the others."""
    standings = standings_towards([request.pk for request in found], user)
    going: list[ApprovalRequest] = []
    left_out: list[LeftOut] = []
    for request in found:
        opened = request.pk in openings
        why = why_not(request, user, now, standing=standings.get(request.pk), opened=opened)
        if why:
            left_out.append(LeftOut(request, why))
        else:
            going.append(request)
    return going, left_out


def _commonest_kind(going: Iterable[ApprovalRequest]) -> RequestKind | None:
    kinds = Counter(request.kind for request in going).most_common(1)
    return kinds[0][0] if kinds else None


def _by_kind(others: Sequence[ApprovalRequest]) -> list[OtherKind]:
    kinds = dict.fromkeys(request.kind for request in others)
    return [OtherKind(kind, [r.pk for r in others if r.kind == kind]) for kind in kinds]


def why_not(
    request: ApprovalRequest, user: User, now: datetime, *, standing: Standing | None, opened: bool
) -> str:
    """Why USER cannot decide REQUEST together with others, in a sentence; empty if they can."""
    former = list(request.decisions.all())
    if not request.is_pending:
        return f"{ended(request, former)}."
    if any(decision.reviewer_id == user.pk for decision in former):
        return _("You have decided this already.")
    try:
        policy.check_standing(request, standing)
        desk.check_open(request, now)
        check_together(request, former, opened=opened)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _other_kind(kind: RequestKind) -> str:
    return _("Another kind: %(kind)s.") % {"kind": kind.label}


def _item(
    request: ApprovalRequest, openings: set[int], shapes: dict[int, Presentation], now: datetime
) -> Item:
    if request.kind_id not in shapes:
        shapes[request.kind_id] = Presentation(presentation_of(request.kind))
    deadline = request.deadline
    return Item(
        request=request,
        votes=len(request.decisions.all()),
        money=headline_money(request.payload_text, shapes[request.kind_id]),
        opened=request.pk in openings,
        deadline=deadline,
        left=deadline - now if deadline else None,
    )
