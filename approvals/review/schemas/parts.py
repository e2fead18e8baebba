"""What belongs to one request: its decisions, the answer to AWS, the execution behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Execution
from approvals.states import Channel, DeliveryState, Verdict


class HeldOut(BaseModel):
    """A decision that ends the matter at `until`, unless who made it takes it back."""

    verdict: Verdict
    by: str
    until: datetime

    @classmethod
    def of(cls, request: ApprovalRequest) -> Self | None:
        """None where nothing of REQUEST is held."""
        if request.held_until is None:
            return None
        decision = request.held_answer.decision
        return cls(verdict=Verdict(decision.verdict), by=decision.by, until=request.held_until)


class DecisionOut(BaseModel):
    """One verdict. `edits`: what was changed before approving, by JSON pointer; then
    `final_payload_sha256` names the payload as it was approved."""

    id: UUID
    verdict: Verdict
    by: str
    at: datetime
    comment: str
    channel: Channel
    edits: dict[str, Any]
    final_payload_sha256: str | None

    @classmethod
    def of(cls, row: Decision) -> Self:
        return cls(
            id=row.public_id, verdict=Verdict(row.verdict), by=row.by, at=row.decided_at,
            comment=row.comment, channel=Channel(row.channel),
            edits=row.edits, final_payload_sha256=row.final_sha256 or None,
        )  # fmt: skip


class DeliveryOut(BaseModel):
    """How far the answer has come on its way to AWS."""

    state: DeliveryState
    attempts: int
    detail: str
    delivered_at: datetime | None

    @classmethod
    def of(cls, owed: CallbackDelivery | None) -> Self | None:
        """None where nothing is OWED."""
        if owed is None:
            return None
        state = DeliveryState(owed.state)
        return cls(
            state=state,
            attempts=owed.attempts,
            detail=owed.detail,
            delivered_at=owed.settled_at if state is DeliveryState.DELIVERED else None,
        )


class ExecutionOut(BaseModel):
    """The durable execution behind the request, as AWS last described it.

    `status` is AWS's word; it may add others.
    """

    arn: str
    status: str
    seen_at: datetime | None

    @classmethod
    def of(cls, seen: Execution | None) -> Self | None:
        """None where no execution is known."""
        return cls(arn=seen.arn, status=seen.status, seen_at=seen.seen_at) if seen else None


class RequirementOut(BaseModel):
    """How many members of one group must approve."""

    group: str
    approvals: int
