"""Rows of the queue as a reviewer reads them, grouped by deadline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Self

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import RequestKind, User
from approvals.models.filter import HIGH_RISK, SOME_RISK
from approvals.models.listing import ListedRequest
from approvals.presentation import KINDS, Presentation, headline_amount
from approvals.presentation.text import visible
from approvals.review.facts import with_delivery
from approvals.review.words import clock
from approvals.states import DeliveryState
from approvals.templatetags.prose import inside

_SYMBOLS = {"order": "package", "agent-action": "bot", "document": "file-text"}


@dataclass(frozen=True, slots=True)
class RowWords:
    """What all rows say alike, looked up once for a page."""

    due: str
    due_softly: str
    no_deadline: str
    asked: str
    risk: str
    select: str

    @classmethod
    def here(cls) -> Self:
        """In the language that is active."""
        return cls(
            due=_("Due"),
            due_softly=_("due"),
            no_deadline=_("No deadline"),
            asked=_("asked by %(who)s"),
            risk=_("Risk %(score)s"),
            select=_("Select %(title)s"),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list; `deadline` is the nearest clock, None where none runs."""

    request: ListedRequest
    words: RowWords
    amount: str
    deadline: datetime | None
    left: timedelta | None
    total: timedelta | None
    looking: User | None

    @property
    def symbol(self) -> str:
        return symbol_of(self.request.kind)

    @property
    def risk_tone(self) -> str:
        return risk_tone(self.request.risk_score)

    @property
    def is_soft(self) -> bool:
        """Whether the nearest clock only colours the row: deciding later is not too late."""
        return self.deadline is not None and self.deadline != self.request.answer_by

    @property
    def asker(self) -> str:
        request = self.request
        return str(request.agent or request.requested_by or request.source.name)

    @property
    def key(self) -> str:
        return str(self.request.pk)

    @property
    def select(self) -> str:
        return self.words.select % {"title": visible(self.request.title)}

    @property
    def asked(self) -> str:
        return self.words.asked % {"who": visible(self.asker)}

    @property
    def risk(self) -> str:
        return self.words.risk % {"score": self.request.risk_score}

    @property
    def mine(self) -> str:
        """What I decided, how far it has come, and how it ended if otherwise."""
        request = self.request
        said = str(_MINE[request.my_verdict, _course(request.delivery_state)])
        if request.state == request.my_verdict:
            return said
        return _("%(said)s; %(ended)s") % {"said": said, "ended": inside(self.closing)}

    @property
    def held(self) -> str:
        """Who decided what is not sent yet, and when it is; empty if nothing is held."""
        request = self.request
        if request.held_until is None:
            return ""
        decision = request.held_answer.decision
        named = {"word": decision.word, "who": decision.who, "at": clock(request.held_until)}
        return _("%(word)s by %(who)s, sent at %(at)s") % named

    @property
    def closing(self) -> str:
        """How it ended, in a word or two; for lists of what is closed."""
        request = self.request
        if request.held_until:
            return _("sent at %(at)s") % {"at": clock(request.held_until)}
        return _("Waiting for others") if request.is_pending else str(request.ending)

    @property
    def outcome(self) -> str:
        """How it ended, and how far AWS is with it."""
        return with_delivery(self.closing, self.request.delivery_state)


_MINE = {
    ("approved", ""): gettext_lazy("You approved this"),
    ("approved", "sending"): gettext_lazy("You approved this, sending…"),
    ("approved", "undelivered"): gettext_lazy("You approved this, not delivered"),
    ("rejected", ""): gettext_lazy("You rejected this"),
    ("rejected", "sending"): gettext_lazy("You rejected this, sending…"),
    ("rejected", "undelivered"): gettext_lazy("You rejected this, not delivered"),
}


def _course(delivery_state: str | None) -> str:
    if not delivery_state or delivery_state == DeliveryState.DELIVERED:
        return ""
    return "sending" if delivery_state == DeliveryState.PENDING else "undelivered"


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    rows: list[Row]


def symbol_of(kind: RequestKind | None) -> str:
    """The icon of KIND's requests."""
    return _SYMBOLS.get(kind.slug, "inbox") if kind else "inbox"


def risk_tone(score: int | None) -> str:
    if score is None:
        return ""
    return "risk" if score >= HIGH_RISK else "warn" if score >= SOME_RISK else "ok"


def rows_of(requests: Iterable[ListedRequest], *, now: datetime) -> list[Row]:
    words = RowWords.here()
    return [_row_of(request, words, now) for request in requests]


def _row_of(request: ListedRequest, words: RowWords, now: datetime) -> Row:
    deadline = request.deadline
    return Row(
        request=request,
        words=words,
        amount=_amount(request.short_payload, request.kind),
        deadline=deadline,
        left=deadline - now if deadline else None,
        total=deadline - request.received_at if deadline else None,
        looking=request.claimant(now),
    )


def by_deadline(rows: Iterable[Row], *, now: datetime) -> list[Group]:
    """ROWS, which come sorted by deadline, under the words people sort their day by."""
    return [
        Group(label, list(run)) for label, run in groupby(rows, key=lambda row: _when(row, now))
    ]


def _when(row: Row, now: datetime) -> str:
    if row.deadline is None or row.left is None:
        return _("No deadline")
    if row.left < timedelta(hours=1):
        return _("Due within the hour")
    same_day = timezone.localdate(row.deadline) == timezone.localdate(now)
    return _("Today") if same_day else _("Later")


def presentation_of(kind: RequestKind) -> dict[str, object]:
    """How KIND's payloads are laid out: what an admin wrote, else what ships."""
    return kind.presentation or KINDS.get(kind.slug, {})


def _amount(payload_text: str, kind: RequestKind) -> str:
    # A list reads only what ships: an admin's own presentation is not loaded per row.
    if not payload_text or kind.slug not in KINDS:
        return ""
    return headline_amount(payload_text, _shipped(kind.slug)) or ""


@cache
def _shipped(slug: str) -> Presentation:
    return Presentation(KINDS[slug])
