"""History in words: one line per audit event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.lifecycle.edits import counted
from approvals.models import ApprovalRequest, AuditEvent
from approvals.review.changes import Change, changes_told
from approvals.review.words import clock, listed_names
from approvals.states import AuditTag, CallbackFinding, Channel, Verdict, Withdrawal

HISTORY_LINES = 100


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
    if tag not in _WORDS:
        return Line(event.at, who, tag.label)
    lone, what = _WORDS[tag]
    by_operator = tag in _REASONED or facts.get("why") == Withdrawal.OPERATOR
    said = facts.get("comment") or (facts.get("reason") if by_operator else "")
    # What ends a hold tells its edits again; they stand with the line that made them.
    edits = changes.get(facts.get("edits_sha256", ""), ()) if "held" not in facts else ()
    return Line(event.at, who or lone, what(facts), said=str(said or ""), changes=edits)


def _received(facts: Mapping[str, Any]) -> str:
    asked = [*facts.get("groups", []), *facts.get("users", [])]
    needed = facts.get("required_approvals", 1)
    count = f", {needed} approvals needed" if needed > 1 else ""
    groups = [f"{needed} of {group}" for group, needed in facts.get("requirements", [])]
    named = f": {listed_names(groups)}" if groups else ""
    return (
        f"from {facts.get('source', 'its source')}, put before {listed_names(asked)}{count}{named}"
    )


def _forced(facts: Mapping[str, Any]) -> str:
    return f"forced the answer as an operator: {facts.get('verdict', 'decided')}"


def _reassigned(facts: Mapping[str, Any]) -> str:
    former, moved = facts.get("instead_of"), facts.get("requirement")
    place = f" instead of {former}" if former else " as well"
    needed = f"; {moved[1]} of {moved[0]} must approve now" if moved else ""
    return f"asked {facts.get('to', 'others')}{place}{needed}"


def _channel(facts: Mapping[str, Any]) -> str:
    word = str(facts.get("channel", ""))
    return f" {Channel(word).label}" if word in (Channel.API, Channel.BULK) else ""


def _edited(facts: Mapping[str, Any]) -> str:
    pointers = facts.get("edited") or []
    return f" with {counted(len(pointers))} ({listed_names(pointers)})" if pointers else ""


def _voted(facts: Mapping[str, Any]) -> str:
    missing = facts.get("missing", 1)
    return f"approved{_channel(facts)}{_edited(facts)}, {missing} more needed"


def _held(facts: Mapping[str, Any]) -> str:
    until = clock(datetime.fromisoformat(facts["until"]))
    said = f"{facts['verdict']} this{_channel(facts)}{_edited(facts)}"
    return f"{said}; it is sent at {until} unless taken back"


def _decided(verdict: str) -> Callable[[Mapping[str, Any]], str]:
    def sentence(facts: Mapping[str, Any]) -> str:
        if "held" in facts:
            return f"{verdict} this for good; it could be taken back until now"
        return f"{verdict} this{_channel(facts)}{_edited(facts)}"

    return sentence


def _undone(facts: Mapping[str, Any]) -> str:
    word = "approval" if facts.get("verdict") == Verdict.APPROVED else "rejection"
    return f"took their {word} back; nothing was sent"


def _withdrawn(facts: Mapping[str, Any]) -> str:
    fallen = "; a decision that was not sent yet falls" if facts.get("undone") else ""
    return _why_withdrawn(facts) + fallen


def _why_withdrawn(facts: Mapping[str, Any]) -> str:
    why = str(facts.get("why", ""))
    if why == Withdrawal.OPERATOR:
        return "took it back as an operator"
    if why == Withdrawal.ELSEWHERE:
        said = str(facts.get("reason") or Withdrawal.ELSEWHERE.label)
        return said[:1].lower() + said[1:]
    reason = Withdrawal(why).label if why in Withdrawal.values else ""
    own = str(facts.get("reason") or "")
    return ": ".join(part for part in (f" {reason}".lower(), own) if part.strip()).strip()


def _expired(facts: Mapping[str, Any]) -> str:
    words = {
        "approve": "the sender's rule approved it",
        "reject": "the sender's rule rejected it",
        "lapse": "nothing is sent to AWS",
    }
    ending = words.get(str(facts.get("on_timeout", "")), "AWS is told that it expired")
    return f"before anybody decided; {ending}"


def _detail(words: str) -> Callable[[Mapping[str, Any]], str]:
    def sentence(facts: Mapping[str, Any]) -> str:
        detail = str(facts.get("detail") or facts.get("reply") or "")
        return f"{words}: {detail}" if detail else words

    return sentence


def _status(facts: Mapping[str, Any]) -> str:
    status = str(facts.get("status") or "").replace("_", " ").lower()
    return f"was seen: {status}" if status else "was seen"


def _answered(facts: Mapping[str, Any]) -> str:
    by = str(facts.get("answered_by") or "")
    return f"answered the question, by {by}" if by else "answered the question"


_FINDINGS = {
    CallbackFinding.FOUND: "knows the callback and waits for it",
    CallbackFinding.CLOSED: "no longer waits for the callback",
    CallbackFinding.MISSING: "does not know the callback",
}


def _checked(facts: Mapping[str, Any]) -> str:
    finding, detail = facts.get("finding", ""), str(facts.get("detail") or "")
    if finding in _FINDINGS:
        return _FINDINGS[CallbackFinding(finding)]
    return f"did not let the portal look at the callback: {detail}".removesuffix(": ")


#: An operator's reason is quoted below the line, as a reviewer's comment is.
_REASONED = {AuditTag.REASSIGNED, AuditTag.REDRIVEN}

_WORDS: dict[AuditTag, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    AuditTag.RECEIVED: ("Received", _received),
    AuditTag.CLAIMED: ("Somebody", lambda _: "is on it"),
    AuditTag.RELEASED: ("Somebody", lambda _: "let go"),
    AuditTag.VOTED: ("Somebody", _voted),
    AuditTag.HELD: ("Somebody", _held),
    AuditTag.UNDONE: ("Somebody", _undone),
    AuditTag.APPROVED: ("A rule", _decided("approved")),
    AuditTag.REJECTED: ("A rule", _decided("rejected")),
    AuditTag.FORCED: ("An operator", _forced),
    AuditTag.REASSIGNED: ("An operator", _reassigned),
    AuditTag.DUE: ("The request", lambda _: "is due; it waits on"),
    AuditTag.ESCALATED: (
        "The request",
        lambda _: "has waited so long that others should be asked; an operator can ask them",
    ),
    AuditTag.EXPIRED: ("The deadline", lambda facts: f"passed {_expired(facts)}"),
    AuditTag.WITHDRAWN: ("Withdrawn", _withdrawn),
    AuditTag.COMMENTED: ("Somebody", lambda _: "commented"),
    AuditTag.QUESTIONED: ("Somebody", lambda _: "asked the requester"),
    AuditTag.ANSWERED: ("The source", _answered),
    AuditTag.DELIVERY_RETRYING: ("AWS", _detail("could not be reached, trying again")),
    AuditTag.DELIVERED: ("AWS", lambda _: "took the answer"),
    AuditTag.UNDELIVERABLE: ("AWS", _detail("did not take the answer")),
    AuditTag.UNCONFIRMED: ("AWS", _detail("had closed the callback")),
    AuditTag.REDRIVEN: ("An operator", lambda _: "sent the answer again"),
    AuditTag.HEARTBEAT_LOST: ("A heartbeat", _detail("did not reach AWS")),
    AuditTag.CALLBACK_CHECKED: ("AWS", _checked),
    AuditTag.EXECUTION_SEEN: ("The execution", _status),
}
