"""What was sealed is as it was: callbacks and answers open, and terms have their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from approvals import keyring
from approvals.keyring import SealBroken
from approvals.ledger.scope import Scope
from approvals.ledger.violation import check
from approvals.models.delivery import body_place
from approvals.models.request import callback_place
from approvals.models.terms import terms_sha256

#: What a sealed value raises that was altered, moved, cut, or sealed with a lost key.
UNREADABLE = (SealBroken, ValueError, IndexError)

_TERMS = """
    SELECT r.public_id, e.facts->>'terms_sha256', r.callback_sha256, r.content_sha256, r.title,
           r.summary, r.requested_by, r.on_behalf_of, r.agent, r.on_reject, r.on_timeout,
           r.approve_with, r.reject_with, r.subject
      FROM {requests} r JOIN approvals_auditevent e ON e.request_id = r.id AND e.seq = 1
     WHERE e.facts->>'terms_sha256' IS NOT NULL"""

_CALLBACKS = "SELECT r.public_id, r.callback_sha256, r.callback_sealed FROM {requests} r"

_ANSWERS = """
    SELECT r.id, r.public_id::text, d.sealed_body, d.verb, e.facts->>'answer_sha256',
           CASE WHEN d.verb = 'fail' THEN NULL
                WHEN r.state = 'approved' OR r.on_timeout = 'approve' AND r.state = 'expired'
                THEN r.approve_with ELSE r.reject_with END,
           CASE WHEN r.state = 'expired' AND r.on_timeout = 'approve' THEN 'approved'
                WHEN r.state = 'expired' AND r.on_timeout = 'reject' THEN 'rejected'
                WHEN r.withdrawal = 'superseded' THEN 'superseded' ELSE r.state END,
           n.public_id::text, n."values", r.payload_sha256
      FROM {requests} r
      JOIN approvals_callbackdelivery d ON d.request_id = r.id
      LEFT JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {closing}
      LEFT JOIN approvals_decision n
        ON n.request_id = r.id
       AND n.public_id::text = coalesce(e.facts->>'decision', e.facts->>'held')"""

_HELD = """
    SELECT r.id, r.public_id, h.sealed_body, e.facts->>'answer_sha256'
      FROM {requests} r
      JOIN approvals_heldanswer h ON h.request_id = r.id
      JOIN approvals_decision n ON n.id = h.decision_id
      LEFT JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag = {held}
       AND e.facts->>'decision' = n.public_id::text"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS is owed, and what it must tell: VERBATIM the sender's own text, or a document.

    SHA256: of its bytes, as history names it. VALUES: JSON, those of the last DECISION.
    """

    request_id: int
    public_id: str
    sealed: bytes
    verb: str
    sha256: str | None
    verbatim: str | None
    outcome: str
    decision: str | None
    values: str | None
    payload_sha256: str

    def complaint(self) -> str:
        """What is wrong with it, in a sentence; empty if it is as it must be."""
        try:
            body = keyring.unseal(self.sealed, place=body_place(self.request_id))
        except UNREADABLE:
            return "its answer cannot be opened: altered, or FIELD_KEYS lacks a key."
        if hashlib.sha256(body).hexdigest() != self.sha256:
            return "its answer is not the one its history names."
        if self.verbatim is not None:
            wrong = body != self.verbatim.encode()
            return "its answer is not the text its sender asked for." if wrong else ""
        return "" if self._is_told_by(body) else "its answer does not tell what was decided."

    def _is_told_by(self, body: bytes) -> bool:
        try:
            told = json.loads(json.loads(body)["ErrorData"] if self.verb == "fail" else body)
            said = (told["request_id"], told["outcome"], told["decision_id"])
            values = told["values"] | json.loads(self.values or "{}")
            same = told["payload_sha256"] == self.payload_sha256 and told["values"] == values
        except (ValueError, KeyError, TypeError):
            return False
        return same and said == (self.public_id, self.outcome, self.decision)


@check
def terms_are_as_received(scope: Scope) -> Iterator[tuple[object, str]]:
    """Whose callback it is, what is asked in which words, by whom, and what rejecting and
    silence do, is as it was received; requests of before that was sealed are passed over."""
    for public_id, digest, *values in scope.rows(_TERMS):
        if terms_sha256(values) != digest:
            yield public_id, "its callback, words or rules are not those it was received with."


@check
def callbacks_open(scope: Scope) -> Iterator[tuple[object, str]]:
    """Each callback ID can be said to AWS, and is the one that came in."""
    for public_id, digest, sealed in scope.rows(_CALLBACKS):
        try:
            callback_id = keyring.unseal(sealed, place=callback_place(digest))
        except UNREADABLE:
            yield public_id, "its callback ID cannot be opened: altered, or FIELD_KEYS lacks a key."
            continue
        if hashlib.sha256(callback_id).hexdigest() != digest:
            yield public_id, "its callback ID is not the one that came in."


@check
def answers_are_unchanged(scope: Scope) -> Iterator[tuple[object, str]]:
    """The bytes owed to AWS are those of the moment of the decision, and tell of this request,
    this outcome, this decision with its values, and this payload."""
    for row in scope.rows(_ANSWERS):
        answer = Answer(*row)
        if complaint := answer.complaint():
            yield answer.public_id, complaint


@check
def held_answers_are_unchanged(scope: Scope) -> Iterator[tuple[object, str]]:
    """What is frozen until its hold is over can be opened, and is what history names."""
    for request_id, public_id, sealed, digest in scope.rows(_HELD):
        try:
            body = keyring.unseal(sealed, place=body_place(request_id))
        except UNREADABLE:
            yield public_id, "its held answer cannot be opened: altered, or FIELD_KEYS lacks a key."
            continue
        if hashlib.sha256(body).hexdigest() != digest:
            yield public_id, "its held answer is not the one its history names."
