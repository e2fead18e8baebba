"""A request's history, as operators' and auditors' programs read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from approvals.models import AuditEvent


class AuditLine(BaseModel):
    """One thing that happened. `tag` is `<thing>.<what happened>`; there will be others."""

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
