"""History: append-only, one chain per request, each line sealed to the one before.

    mac(n) = HMAC-SHA256(AUDIT_KEY, mac(n-1) | canonical JSON of line n)

The request's row is locked before its history is written, so a chain never forks and
requests never wait for each other. The database refuses UPDATE, DELETE and TRUNCATE;
the chain shows what a superuser did all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from approvals.models.request import ApprovalRequest
from approvals.models.user import User
from approvals.states import AuditTag

GENESIS = b"\0" * 32


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
        seq, before = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
        event = AuditEvent(
            request=request,
            seq=seq,
            tag=tag,
            at=at,
            actor=actor,
            actor_name=actor.username if actor else "",
            facts=facts,
        )
        event.mac = event.seal(before)
        event.save(force_insert=True)
        return event

    def broken_at(self, request: ApprovalRequest) -> int | None:
        """The sequence number at which REQUEST's chain does not hold, or None if whole."""
        before, expected = GENESIS, 1
        for event in self.filter(request=request).select_related("request").order_by("seq"):
            if event.seq != expected or not hmac.compare_digest(
                bytes(event.mac), event.seal(before)
            ):
                return expected
            before, expected = bytes(event.mac), expected + 1
        return None


class AuditEvent(models.Model):
    """Who did what to a request, and when. Never holds a callback ID or a payload."""

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="history")
    seq = models.PositiveIntegerField()
    tag = models.CharField(max_length=32, choices=AuditTag)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
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

    def seal(self, before: bytes) -> bytes:
        line = {
            "request": str(self.request.public_id),
            "seq": self.seq,
            "tag": str(self.tag),
            "at": self.at.isoformat(),
            "actor": self.actor_id,
            "actor_name": self.actor_name,
            "facts": self.facts,
        }
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hmac.new(settings.AUDIT_KEY, before + text.encode(), hashlib.sha256).digest()
