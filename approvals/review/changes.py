"""What approvals changed: each value as it was sent beside the one that was approved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.canonical import NumberToken, canonical_json, sha256_hex
from approvals.lifecycle.edits import final_payload
from approvals.models import ApprovalRequest, AuditEvent, Decision
from approvals.presentation import Piece, Place, Places, indented, shortened, word_diff
from approvals.presentation.blocks import Value
from approvals.presentation.jsontext import Number
from approvals.review.rows import presentation_of
from approvals.states import Cause, RequestState

LONG_TEXT = 60  # characters; beyond, texts are compared word by word


@dataclass(frozen=True, slots=True)
class Change:
    """One value as sent (OLD) and as approved (NEW); WORDS compares texts, and is empty for
    what is no text or too short for it."""

    place: Place
    old: Value
    new: Value
    words: tuple[Piece, ...] = ()


def is_long(text: str) -> bool:
    return len(text) > LONG_TEXT or "\n" in text or "\r" in text


def changes_of(request: ApprovalRequest, decision: Decision) -> list[Change]:
    """What DECISION changed, in the order in which it was allowed."""
    edits = decision.edits
    if not edits:
        return []
    places = Places(request.payload_text, presentation_of(request.kind))
    return [
        _change(places, pointer, edits[pointer]) for pointer in request.editable if pointer in edits
    ]


def edits_made(request: ApprovalRequest, decisions: Sequence[Decision]) -> dict[str, Any]:
    """The context of request/_changes.html: what an approval changed, and what it approved.

    Nothing where it was not an approval by people that ended the request: what an operator, a
    rule or a rejection ends is sent as it was asked for.
    """
    by_people = bool(decisions) and decisions[-1].cause == Cause.PERSON
    if not request.is_pending and not (request.state == RequestState.APPROVED and by_people):
        return {}
    edited = next((decision for decision in decisions if decision.edits_text), None)
    if edited is None:
        return {}
    final = final_payload(request.payload_text, edited.edits)
    return {
        "changes": changes_of(request, edited),
        "final": indented(canonical_json(final)),
        "final_sha256": edited.final_sha256,
    }


def changes_told(request: ApprovalRequest, events: Iterable[AuditEvent]) -> dict[str, list[Change]]:
    """What the edits changed of which EVENTS tell by hash; decisions taken back included."""
    told = {event.facts["edits_sha256"] for event in events if "edits_sha256" in event.facts}
    if not told:
        return {}
    found = {sha256_hex(d.edits_text): d for d in request.decisions.all() if d.edits_text}
    return {sha256: changes_of(request, found[sha256]) for sha256 in told & found.keys()}


def _change(places: Places, pointer: str, value: Any) -> Change:
    place, old = places.at(pointer), places.raw(pointer)
    new = places.drawn(pointer, Number(value) if isinstance(value, NumberToken) else value)
    return Change(place, place.value, new, _compared(old, value, new))


def _compared(old: Any, new: Any, drawn: Value) -> tuple[Piece, ...]:
    texts = [
        each
        for each in (old, new)
        if isinstance(each, str) and not isinstance(each, Number | NumberToken)
    ]
    if len(texts) < 2 or drawn.kind in ("money", "date", "datetime"):
        return ()
    return shortened(word_diff(*texts)) if any(map(is_long, texts)) else ()
