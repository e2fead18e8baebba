"""What reviewers' programs are told about requests. Never the callback ID."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel

from approvals import policy
from approvals.lifecycle import Commented, Decided
from approvals.lifecycle.edits import editable_of
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Comment, Decision
from approvals.models.listing import ListedRequest
from approvals.policy import Place
from approvals.states import DeliveryState


class HeldOut(BaseModel):
    """A decision that ends the matter at `until`, unless who made it takes it back."""

    verdict: str
    by: str
    until: datetime

    @classmethod
    def of(cls, request: ApprovalRequest) -> Self | None:
        """None where nothing of REQUEST is held."""
        if request.held_until is None:
            return None
        decision = request.held_answer.decision
        by = decision.reviewer.username if decision.reviewer else decision.cause
        return cls(verdict=decision.verdict, by=by, until=request.held_until)


class Item(BaseModel):
    """A request as a list shows it."""

    id: UUID
    url: str
    state: str
    kind: str
    source: str
    title: str
    requested_by: str
    agent: str
    risk_score: int | None
    received_at: datetime
    due_at: datetime | None
    answer_by: datetime | None
    closed_at: datetime | None
    held: HeldOut | None
    claimed_by: str | None
    required: int

    @classmethod
    def facts(cls, request: ApprovalRequest, now: datetime) -> dict[str, Any]:
        claimed = request.claimed_until is not None and request.claimed_until > now
        return {
            "id": request.public_id,
            "url": settings.BASE_URL + request.get_absolute_url(),
            "kind": request.kind.slug,
            "source": request.source.slug,
            "claimed_by": request.claimed_by.username if claimed and request.claimed_by else None,
            "required": request.required_approvals,
            "held": HeldOut.of(request),
            **{name: getattr(request, name) for name in _PLAIN},
        }

    @classmethod
    def of(cls, request: ListedRequest, now: datetime) -> Self:
        return cls(**cls.facts(request, now))


_PLAIN = (
    "state", "title", "requested_by", "agent", "risk_score", "received_at", "due_at",
    "answer_by", "closed_at",
)  # fmt: skip


class Listing(BaseModel):
    """A page of requests; `count` is exact up to 1,000, then `count_capped` is true."""

    items: list[Item]
    next: str | None
    count: int
    count_capped: bool


class DecisionOut(BaseModel):
    """One verdict. `edits`: what was changed before approving, by JSON pointer; then
    `final_payload_sha256` names the payload as it was approved."""

    id: UUID
    verdict: str
    by: str
    at: datetime
    comment: str
    channel: str
    edits: dict[str, Any]
    final_payload_sha256: str | None

    @classmethod
    def of(cls, row: Decision) -> Self:
        by = row.reviewer.username if row.reviewer else row.cause
        return cls(
            id=row.public_id, verdict=row.verdict, by=by, at=row.decided_at,
            comment=row.comment, channel=row.channel,
            edits=row.edits, final_payload_sha256=row.final_sha256 or None,
        )  # fmt: skip


class DeliveryOut(BaseModel):
    """How far the answer has come on its way to AWS."""

    state: str
    attempts: int
    detail: str
    delivered_at: datetime | None


class ExecutionOut(BaseModel):
    """The durable execution behind the request, as AWS last described it."""

    arn: str
    status: str
    seen_at: datetime | None


class RequirementOut(BaseModel):
    """How many members of one group must approve."""

    group: str
    approvals: int


class Detail(Item):
    """One request: what is decided about, by whom, and how far the answer has come."""

    summary: str
    payload: Any
    payload_sha256: str
    links: list[Any]
    risk: Any
    checks: list[Any]
    effects: list[Any]
    response_schema: Any
    editable: list[str]
    on_reject: str
    on_timeout: str
    on_behalf_of: str
    closed_because: str
    missing: int
    requirements: list[RequirementOut]
    decisions: list[DecisionOut]
    delivery: DeliveryOut | None
    execution: ExecutionOut | None

    @classmethod
    def of(cls, request: ApprovalRequest, now: datetime) -> Self:
        rows = list(request.decisions.standing().select_related("reviewer").order_by("id"))
        return cls._told(
            request,
            now,
            decisions=rows,
            places=policy.places_of(request),
            missing=policy.tally(request, rows).missing if request.is_pending else 0,
            delivery=getattr(request, "delivery", None),
        )

    @classmethod
    def after(cls, done: Decided, now: datetime) -> Self:
        """The request as DONE left it, of what is in hand."""
        return cls._told(
            done.decision.request,
            now,
            decisions=[*done.former, done.decision],
            places=done.places,
            missing=done.missing,
            delivery=done.delivery,
        )

    @classmethod
    def _told(
        cls,
        request: ApprovalRequest,
        now: datetime,
        *,
        decisions: Sequence[Decision],
        places: Sequence[Place],
        missing: int,
        delivery: CallbackDelivery | None,
    ) -> Self:
        return cls(
            **cls.facts(request, now),
            **{name: getattr(request, name) for name in _DETAILED},
            editable=editable_of(request),
            missing=missing,
            requirements=[
                RequirementOut(group=place.group, approvals=place.approvals)
                for place in places
                if place.group_id
            ],
            decisions=[DecisionOut.of(row) for row in decisions],
            delivery=_delivery(delivery),
            execution=_execution(request),
        )


_DETAILED = (
    "summary", "payload", "payload_sha256", "links", "risk", "checks", "effects",
    "response_schema", "on_reject", "on_timeout", "on_behalf_of", "closed_because",
)  # fmt: skip


def _delivery(owed: CallbackDelivery | None) -> DeliveryOut | None:
    if owed is None:
        return None
    delivered_at = owed.settled_at if owed.state == DeliveryState.DELIVERED else None
    return DeliveryOut(
        state=owed.state, attempts=owed.attempts, detail=owed.detail, delivered_at=delivered_at
    )


def _execution(request: ApprovalRequest) -> ExecutionOut | None:
    seen = request.execution
    return ExecutionOut(arn=seen.arn, status=seen.status, seen_at=seen.seen_at) if seen else None


class CommentOut(BaseModel):
    """One entry of a request's thread. `kind` is note, question or answer.

    `answers` is the question that an answer belongs to; its `by` is who the source says
    gave it, or the source.
    """

    id: UUID
    kind: str
    by: str
    at: datetime
    text: str
    answers: UUID | None

    @classmethod
    def of(cls, row: Comment, source: str) -> Self:
        return cls(
            id=row.public_id,
            kind=row.kind,
            by=row.author.username if row.author else row.answered_by or source,
            at=row.at,
            text=row.text,
            answers=row.answers.public_id if row.answers else None,
        )


class CommentedOut(CommentOut):
    """A comment as written. `not_told`: who it mentions that cannot see the request."""

    not_told: list[str]

    @classmethod
    def after(cls, done: Commented) -> Self:
        told = CommentOut.of(done.comment, source="")
        return cls(**told.model_dump(), not_told=done.not_told)


class Whole(Detail):
    """One request with all that was said about it, oldest first."""

    comments: list[CommentOut] = []

    @classmethod
    def of(cls, request: ApprovalRequest, now: datetime) -> Self:
        whole = super().of(request, now)
        rows = request.comments.select_related("author", "answers").order_by("id")
        whole.comments = [CommentOut.of(row, request.source.slug) for row in rows]
        return whole


class AuditLine(BaseModel):
    seq: int
    tag: str
    at: datetime
    actor: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        return cls(
            seq=event.seq, tag=event.tag, at=event.at, actor=event.actor_name, facts=event.facts
        )


class AuditOut(BaseModel):
    """History, oldest first. `broken_at` is the first line whose seal does not hold."""

    items: list[AuditLine]
    broken_at: int | None
