"""History of what admins keep: sources, kinds, roles. Append-only, one chain per subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from approvals.models.chain import GENESIS, first_break, seal_line
from approvals.models.user import User
from approvals.states import ChangeTag


class ChangeEventQuerySet(models.QuerySet["ChangeEvent"]):
    def record(
        self, tag: ChangeTag, subject: str, *, at: datetime, actor: User | None, **facts: Any
    ) -> ChangeEvent:
        """Append one line to SUBJECT's chain; the caller holds the lock of its row.

        SUBJECT is `source:<slug>` or `kind:<slug>`; FACTS never hold a secret. ACTOR is
        None for a command at the server.
        """
        last = self.filter(subject=subject).order_by("-seq").values_list("seq", "mac").first()
        seq, before = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
        event = ChangeEvent(
            subject=subject,
            seq=seq,
            tag=tag,
            at=at,
            actor=actor,
            actor_name=actor.username if actor else "",
            facts=facts,
        )
        event.mac = seal_line(before, event.line())
        event.save(force_insert=True)
        return event

    def broken_at(self, subject: str) -> int | None:
        """The sequence number at which SUBJECT's chain does not hold, or None if whole."""
        return first_break(self.filter(subject=subject).order_by("seq"))


class ChangeEvent(models.Model):
    """Who changed what of a source or a kind, and when. Never holds a secret."""

    subject = models.CharField(max_length=80)
    seq = models.PositiveIntegerField()
    tag = models.CharField(max_length=32, choices=ChangeTag)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True, default="")
    facts = models.JSONField(default=dict)
    mac = models.BinaryField()

    objects = ChangeEventQuerySet.as_manager()

    class Meta:
        ordering = ["subject", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "seq"], name="change_chains_never_fork"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}, {self.seq}. {self.get_tag_display()}"

    def line(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "seq": self.seq,
            "tag": str(self.tag),
            "at": self.at.isoformat(),
            "actor": self.actor_id,
            "actor_name": self.actor_name,
            "facts": self.facts,
        }
