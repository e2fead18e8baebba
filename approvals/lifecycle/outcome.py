"""What AWS is told: the standard document, and the bytes of each ending.

The SDK hands a failure's message and data to the function but not its type, so
everything a machine reads stands in the document (ErrorData). See design notes in
docs/api.md, "What the function receives".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.canonical import canonical_json
from approvals.lifecycle.edits import final_payload
from approvals.models import ApprovalRequest, Decision
from approvals.states import CallbackVerb, Cause, OnReject, Verdict

#: AWS documents 256 KB for Result and errors (raised since in the API model, not in
#: every service behind it). What is larger is refused before anybody decides.
RESULT_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """One call to AWS: the verb and its body, never to change again."""

    verb: CallbackVerb
    body: bytes

    @property
    def sha256(self) -> str:
        """For the history: what was owed can be compared with what was sent."""
        return hashlib.sha256(self.body).hexdigest()


def document(
    request: ApprovalRequest,
    outcome: str,
    *,
    cause: Cause,
    at: datetime,
    decisions: Sequence[Decision] = (),
    reason: str = "",
) -> dict[str, Any]:
    """The standard JSON document; DECISIONS in order, the one that ended it last.

    Where they edited the payload, all of them alike, it holds the edits, the payload as it
    was approved, and the hash of that.
    """
    last = decisions[-1] if decisions else None
    values: dict[str, Any] = {}
    for decision in decisions:
        values |= decision.values
    return {
        "outcome": outcome,
        "request_id": str(request.public_id),
        "decision_id": str(last.public_id) if last else None,
        "decided_by": [d.reviewer.username for d in decisions if d.reviewer],
        "decided_at": at.isoformat(),
        "comment": last.comment if last and last.comment else reason,
        "values": values,
        "payload_sha256": request.payload_sha256,
        "cause": str(cause),
        **(_edited(request, last) if last and last.edits_text else {}),
    }


def _edited(request: ApprovalRequest, decision: Decision) -> dict[str, Any]:
    return {
        "edits": decision.edits,
        "final_payload": final_payload(request.payload_text, decision.edits),
        "final_payload_sha256": decision.final_sha256,
    }


def approval(request: ApprovalRequest, facts: Mapping[str, Any]) -> OwedAnswer:
    text = request.approve_with if request.approve_with is not None else canonical_json(facts)
    return OwedAnswer(CallbackVerb.SUCCEED, text.encode())


def rejection(request: ApprovalRequest, facts: Mapping[str, Any]) -> OwedAnswer:
    """Failure unless the request chose success: a function that never looks fails closed."""
    if request.on_reject == OnReject.SUCCESS:
        text = request.reject_with if request.reject_with is not None else canonical_json(facts)
        return OwedAnswer(CallbackVerb.SUCCEED, text.encode())
    return failure("ApprovalRejected", _rejection_sentence(facts), facts)


def expiry(facts: Mapping[str, Any]) -> OwedAnswer:
    return failure("ApprovalExpired", "Nobody decided in time.", facts)


def failure(error_type: str, message: str, facts: Mapping[str, Any]) -> OwedAnswer:
    error = {"ErrorType": error_type, "ErrorMessage": message, "ErrorData": canonical_json(facts)}
    return OwedAnswer(CallbackVerb.FAIL, canonical_json(error).encode())


def for_verdict(request: ApprovalRequest, verdict: Verdict, facts: Mapping[str, Any]) -> OwedAnswer:
    return (approval if verdict is Verdict.APPROVED else rejection)(request, facts)


def _rejection_sentence(facts: Mapping[str, Any]) -> str:
    who = ", ".join(facts["decided_by"]) or "the deadline"
    comment = facts["comment"]
    return f"Rejected by {who}: {comment}"[:1000] if comment else f"Rejected by {who}."
