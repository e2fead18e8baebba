"""Personal tokens: a reviewer decides from elsewhere."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from approvals.models.source import digest
from approvals.models.user import User


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    def live(self, now: datetime) -> Self:
        return self.filter(
            Q(expires_at__gt=now), revoked_at=None, user__is_active=True
        ).select_related("user")


class PersonalToken(models.Model):
    """Stands for its owner in the API until it expires; only its SHA-256 is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = PersonalTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def new(cls, user: User, *, name: str, expires_at: datetime) -> tuple[Self, str]:
        """An unsaved row and the token as its owner writes it, shown once."""
        token = "cst_" + secrets.token_urlsafe(32)
        row = cls(
            user=user, name=name, prefix=token[:10], sha256=digest(token), expires_at=expires_at
        )
        return row, token
