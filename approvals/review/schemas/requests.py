"""Requests as reviewers' programs are told of them. Never the callback ID."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel

from approvals import policy
from approvals.lifecycle import Decided
from approvals.lifecycle.edits import editable_of
from approvals.models import ApprovalRequest, CallbackDelivery, Decision
from approvals.models.listing import ListedRequest
from approvals.policy import Place
from approvals.review.schemas.comments import CommentOut
from approvals.review.schemas.parts import (
    DecisionOut,
    DeliveryOut,
    ExecutionOut,
    HeldOut,
    RequirementOut,
)
from approvals.states import OnReject, OnTimeout, RequestState


class Item(BaseModel):
    """A request as a list shows it."""

    id: UUID
    url: str
    state: RequestState
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
        claimant = request.claimant(now)
        return {
            "id": request.public_id,
            "url": settings.BASE_URL + request.get_absolute_url(),
            "kind": request.kind.slug,
            "source": request.source.slug,
            "claimed_by": claimant.username if claimant else None,
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
    on_reject: OnReject
    on_timeout: OnTimeout
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
            delivery=DeliveryOut.of(delivery),
            execution=ExecutionOut.of(request.execution),
        )


_DETAILED = (
    "summary", "payload", "payload_sha256", "links", "risk", "checks", "effects",
    "response_schema", "on_reject", "on_timeout", "on_behalf_of", "closed_because",
)  # fmt: skip


class Whole(Detail):
    """One request with all that was said about it, oldest first."""

    comments: list[CommentOut] = []

    @classmethod
    def of(cls, request: ApprovalRequest, now: datetime) -> Self:
        whole = super().of(request, now)
        rows = request.comments.select_related("author", "answers").order_by("id")
        whole.comments = [CommentOut.of(row, request.source.slug) for row in rows]
        return whole
