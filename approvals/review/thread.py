"""What was said about a request, as its page shows it: comments, questions, answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, Comment, QuestionDelivery
from approvals.states import CommentKind, QuestionState
from approvals.templatetags.prose import reworded

#: Entries shown at once; older ones are a press away.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text; MENTIONS: it is the name of somebody who was told."""

    text: str
    mentions: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One comment. ASKS: it is a question, and then ANSWER may be there.

    UNDER_WAY: how far the question has come to its source, in a sentence, while it waits.
    """

    who: str
    at: datetime
    pieces: list[Piece]
    asks: bool = False
    waits: bool = False
    under_way: str = ""
    answer: Entry | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """The newest SHOWN entries, those BEFORE them, and who is asked when somebody asks.

    OPEN_QUESTIONS: how many wait for an answer while the request waits for a decision.
    WAY: where a question to the source goes.
    """

    entries: list[Entry]
    before: list[Entry]
    open_questions: int
    way: str


def thread_of(request: ApprovalRequest) -> Thread:
    """REQUEST's thread; one statement."""
    rows = request.comments.select_related("author", "answer", "delivery").order_by("id")
    said = [row for row in rows if row.kind != CommentKind.ANSWER]
    entries = [_entry(row, request) for row in said]
    waiting = sum(entry.waits for entry in entries)
    return Thread(entries[-SHOWN:], entries[:-SHOWN], waiting, _way(request))


def _entry(row: Comment, request: ApprovalRequest) -> Entry:
    author = row.author.display_name if row.author else ""
    pieces = list(pieces_of(row.text, row.mentioned))
    if row.kind != CommentKind.QUESTION:
        return Entry(author, row.at, pieces)
    answer = getattr(row, "answer", None)
    waits = answer is None and request.is_pending
    return Entry(
        author,
        row.at,
        pieces,
        asks=True,
        waits=waits,
        under_way=_under_way(getattr(row, "delivery", None)) if waits else "",
        answer=_answer(answer, request) if answer else None,
    )


def _answer(row: Comment, request: ApprovalRequest) -> Entry:
    return Entry(row.answered_by or request.source.name, row.at, [Piece(row.text)])


def pieces_of(text: str, mentioned: Iterable[str]) -> Iterable[Piece]:
    """TEXT cut at the names of those who were MENTIONED."""
    names = sorted(mentioned, key=len, reverse=True)
    if not names:
        yield Piece(text)
        return
    any_of = "|".join(re.escape(name) for name in names)
    cut = re.split(rf"(?<![\w.@+-])(@(?:{any_of}))(?![\w@])", text, flags=re.IGNORECASE)
    for place, part in enumerate(cut):
        if part:
            yield Piece(part, mentions=bool(place % 2))


def _under_way(delivery: QuestionDelivery | None) -> str:
    if delivery is None:
        return _("It waits here until the function looks for it.")
    if delivery.state == QuestionState.SENT:
        return _("The source has it.")
    if delivery.state == QuestionState.DROPPED:
        return _("It did not reach the source: %(detail)s") % {"detail": reworded(delivery.detail)}
    if delivery.detail:
        return _("Not sent yet, and tried again: %(detail)s") % {
            "detail": reworded(delivery.detail)
        }
    return _("On its way to the source.")


def _way(request: ApprovalRequest) -> str:
    source = request.source
    if source.questions_url:
        return _("A question is sent to %(name)s.") % {"name": source.name}
    if source.questions_mail:
        return _("A question is mailed to the people behind %(name)s.") % {"name": source.name}
    return _(
        "%(name)s has named no address for questions: one waits here until its "
        "function looks for it."
    ) % {"name": source.name}
