"""What a source is told about its request. Never the callback ID, never a payload."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from approvals.models import ApprovalRequest, Comment
from approvals.models.address import page_path
from approvals.states import Channel, CommentKind, DeliveryState, RequestState, Verdict

Ending = Literal[
    RequestState.APPROVED, RequestState.REJECTED, RequestState.EXPIRED, RequestState.WITHDRAWN
]


class OpenAnswer(BaseModel):
    """A request as it was written down, after commit."""

    id: UUID
    url: str
    state: RequestState
    answer_by: datetime | None
    payload_sha256: str
    warnings: list[str]

    @classmethod
    def of(cls, request: ApprovalRequest, warnings: Iterable[str] = ()) -> Self:
        return cls(
            id=request.public_id,
            url=_page_of(request.public_id),
            state=RequestState(request.state),
            answer_by=request.answer_by,
            payload_sha256=request.payload_sha256,
            warnings=list(warnings),
        )


def opened(
    request: ApprovalRequest, warnings: Iterable[str], *, status: int, location: str
) -> HttpResponse:
    """`OpenAnswer` as it goes out: written here, where every message waits for it."""
    content = {
        "id": str(request.public_id),
        "url": _page_of(request.public_id),
        "state": str(request.state),
        "answer_by": request.answer_by,
        "payload_sha256": request.payload_sha256,
        "warnings": list(warnings),
    }
    return HttpResponse(
        _JSON.encode(content),
        status=status,
        content_type="application/json; charset=utf-8",
        headers={"Location": location},
    )


_JSON = NinjaJSONEncoder()


def _page_of(public_id: UUID) -> str:
    return f"{settings.BASE_URL}{page_path(public_id)}"


class DecisionAnswer(BaseModel):
    verdict: Verdict
    by: str
    at: datetime
    comment: str
    channel: Channel


class HeldAnswer(BaseModel):
    """A decision that ends the matter at `until`, unless who made it takes it back."""

    verdict: Verdict
    by: str
    until: datetime


class DeliveryAnswer(BaseModel):
    """How far the answer has come on its way to AWS."""

    state: DeliveryState
    attempts: int
    detail: str
    delivered_at: datetime | None


class QuestionAnswer(BaseModel):
    """What a reviewer asks, and what was answered: null while nothing was."""

    id: UUID
    text: str
    asked_by: str
    asked_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


class FollowAnswer(OpenAnswer):
    """A request as it stands now. `outcome` is null while it is pending."""

    outcome: Ending | None
    closed_at: datetime | None
    closed_because: str
    held: HeldAnswer | None
    decisions: list[DecisionAnswer]
    delivery: DeliveryAnswer | None
    questions: list[QuestionAnswer]

    @classmethod
    def of(cls, request: ApprovalRequest, warnings: Iterable[str] = ()) -> Self:
        opened = OpenAnswer.of(request, warnings)
        return cls(
            **opened.model_dump(),
            outcome=None if opened.state is RequestState.PENDING else opened.state,
            closed_at=request.closed_at,
            closed_because=request.closed_because,
            held=_held(request),
            decisions=_decisions(request),
            delivery=_delivery(request),
            questions=_questions(request),
        )


def _decisions(request: ApprovalRequest) -> list[DecisionAnswer]:
    rows = request.decisions.standing().select_related("reviewer").order_by("id")
    return [
        DecisionAnswer(
            verdict=Verdict(row.verdict),
            by=row.by,
            at=row.decided_at,
            comment=row.comment,
            channel=Channel(row.channel),
        )
        for row in rows
    ]


def _held(request: ApprovalRequest) -> HeldAnswer | None:
    if request.held_until is None:
        return None
    decision = request.held_answer.decision
    return HeldAnswer(verdict=Verdict(decision.verdict), by=decision.by, until=request.held_until)


def _questions(request: ApprovalRequest) -> list[QuestionAnswer]:
    asked = request.comments.filter(kind=CommentKind.QUESTION)
    return [_question(row) for row in asked.select_related("author", "answer").order_by("id")]


def _question(row: Comment) -> QuestionAnswer:
    answer: Comment | None = getattr(row, "answer", None)
    return QuestionAnswer(
        id=row.public_id,
        text=row.text,
        asked_by=row.author.username if row.author else "",
        asked_at=row.at,
        answer=answer.text if answer else None,
        answered_by=answer.answered_by if answer else None,
        answered_at=answer.at if answer else None,
    )


def _delivery(request: ApprovalRequest) -> DeliveryAnswer | None:
    owed = getattr(request, "delivery", None)
    if owed is None:
        return None
    state = DeliveryState(owed.state)
    return DeliveryAnswer(
        state=state,
        attempts=owed.attempts,
        detail=owed.detail,
        delivered_at=owed.settled_at if state is DeliveryState.DELIVERED else None,
    )
