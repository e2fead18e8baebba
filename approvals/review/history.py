"""History as the page shows it: one line per audit event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import ApprovalRequest, AuditEvent
from approvals.review.changes import Change, changes_told
from approvals.review.history_words import WORDS
from approvals.states import AuditTag, Withdrawal

HISTORY_LINES = 100
#: An operator's reason is quoted below the line, as a reviewer's comment is.
_REASONED = {AuditTag.REASSIGNED, AuditTag.REDRIVEN}


@dataclass(frozen=True, slots=True)
class Line:
    """WHO did WHAT, what they SAID, and what their approval changed."""

    at: datetime
    who: str
    what: str
    said: str = ""
    changes: Sequence[Change] = ()


def history_of(request: ApprovalRequest) -> list[Line]:
    """The latest lines of REQUEST's history, youngest first."""
    events = list(request.history.select_related("actor").order_by("-seq")[:HISTORY_LINES])
    changes = changes_told(request, events)
    return [_line(event, changes) for event in events]


def _line(event: AuditEvent, changes: Mapping[str, Sequence[Change]]) -> Line:
    tag, facts = AuditTag(event.tag), event.facts
    who = event.actor.display_name if event.actor else event.actor_name
    if tag not in WORDS:
        return Line(event.at, who, str(tag.label))
    lone, what = WORDS[tag]
    by_operator = tag in _REASONED or facts.get("why") == Withdrawal.OPERATOR
    said = facts.get("comment") or (facts.get("reason") if by_operator else "")
    # What ends a hold tells its edits again; they stand with the line that made them.
    edits = changes.get(facts.get("edits_sha256", ""), ()) if "held" not in facts else ()
    return Line(event.at, who or str(lone), what(facts), said=str(said or ""), changes=edits)
