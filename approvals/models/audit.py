"""History: append-only, one chain per request, each line sealed to the one before.

The request's row is locked before its history is written, so a chain never forks and
requests never wait for each other. The database refuses UPDATE, DELETE and TRUNCATE;
the chain shows what a superuser did all the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, Self
from uuid import UUID

from django.db import models

from approvals.models.chain import GENESIS, first_break, seal_line
from approvals.models.request import ApprovalRequest
from approvals.models.user import User
from approvals.states import AuditTag

#: What stands before the first line of every chain: a sequence number and a seal.
START = (0, GENESIS)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def record(
        self,
        tag: AuditTag,
        request: ApprovalRequest,
        *,
        at: datetime,
        actor: User | None = None,
        **facts: Any,
    ) -> AuditEvent:
        """Append one line to REQUEST's chain; the caller holds the request's row lock."""
        last = self.filter(request=request).order_by("-seq").values_list("seq", "mac").first()
        before = (last[0], bytes(last[1])) if last else START
        event = AuditEvent.after(before, tag, request, at=at, actor=actor, facts=facts)
        event.save(force_insert=True)
        return event

    def broken_at(self, request: ApprovalRequest) -> int | None:
        """The sequence number at which REQUEST's chain does not hold, or None if whole."""
        return first_break(self.filter(request=request).select_related("request").order_by("seq"))


class AuditEvent(models.Model):
    """Who did what to a request, and when. Never holds a callback ID or a payload."""

    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, related_name="history", db_index=False
    )
    seq = models.PositiveIntegerField()
    tag = models.CharField(max_length=32, choices=AuditTag)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=150, blank=True, default="")
    facts = models.JSONField(default=dict)
    mac = models.BinaryField()

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["request_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["request", "seq"], name="chains_never_fork"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}. {self.get_tag_display()}"

    @classmethod
    def after(
        cls,
        before: tuple[int, bytes],
        tag: AuditTag,
        request: ApprovalRequest,
        *,
        at: datetime,
        actor: User | None = None,
        facts: dict[str, Any],
    ) -> Self:
        """The line that follows BEFORE (number and seal) in REQUEST's chain; not saved."""
        event = cls(
            request=request,
            seq=before[0] + 1,
            tag=tag,
            at=at,
            actor=actor,
            actor_name=actor.username if actor else "",
            facts=facts,
        )
        event.mac = seal_line(before[1], event.line())
        return event

    def line(self) -> dict[str, Any]:
        return line_of(self.request.public_id, self)


class Written(Protocol):
    """What a line of history says, whatever holds it."""

    @property
    def seq(self) -> int: ...

    @property
    def tag(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def actor_id(self) -> int | None: ...

    @property
    def actor_name(self) -> str: ...

    @property
    def facts(self) -> Any: ...


def line_of(public_id: UUID, written: Written) -> dict[str, Any]:
    """What is sealed of a line in the history of the request PUBLIC_ID."""
    return {
        "request": str(public_id),
        "seq": written.seq,
        "tag": str(written.tag),
        "at": written.at.isoformat(),
        "actor": written.actor_id,
        "actor_name": written.actor_name,
        "facts": written.facts,
    }
