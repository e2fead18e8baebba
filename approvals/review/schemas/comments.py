"""What is said about a request, as reviewers' programs are told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from approvals.lifecycle import Commented
from approvals.models import Comment
from approvals.states import CommentKind


class CommentOut(BaseModel):
    """One entry of a request's thread.

    `answers` is the question that an answer belongs to; its `by` is who the source says
    gave it, or the source.
    """

    id: UUID
    kind: CommentKind
    by: str
    at: datetime
    text: str
    answers: UUID | None

    @classmethod
    def of(cls, row: Comment, source: str) -> Self:
        return cls(
            id=row.public_id,
            kind=CommentKind(row.kind),
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
