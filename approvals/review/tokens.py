"""The desk of personal tokens: the only writer of their rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from approvals.models import PersonalToken, User
from approvals.models.source import digest

#: A token's last use is written down at most this often: reading must not mean writing.
USE_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic(durable=True)
def create(owner: User, *, name: str, days: int, now: datetime) -> tuple[PersonalToken, str]:
    """A token valid for DAYS, and its text, which can never be shown again."""
    row, text = PersonalToken.new(owner, name=name, expires_at=now + timedelta(days=days))
    row.save(force_insert=True)
    return row, text


def revoke(owner: User, token_id: int, *, now: datetime) -> bool:
    """End OWNER's token; False if they have no such token that lives."""
    rows = PersonalToken.objects.filter(user=owner, pk=token_id, revoked_at=None)
    return rows.update(revoked_at=now) == 1


def owner_of(text: str, *, now: datetime) -> User | None:
    """Whose token TEXT is; None if it is unknown, expired, revoked, or its owner inactive."""
    token = PersonalToken.objects.live(now).filter(sha256=digest(text)).first()
    if token is None:
        return None
    unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
        PersonalToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token.user
