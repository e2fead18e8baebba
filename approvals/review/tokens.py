"""The desk of personal tokens: the only writer of their rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from approvals.models import PersonalToken, User
from approvals.models.entry import Entry, entry_of
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
    _note_use(token.pk, token.last_used_at, now)
    return token.user


def enter(text: str, public_id: UUID, *, now: datetime) -> Entry | None:
    """As `owner_of`, and whether they see the request PUBLIC_ID; one statement."""
    entry = entry_of(digest(text), public_id, now=now)
    if entry is not None:
        _note_use(entry.token_id, entry.last_used_at, now)
    return entry


def _note_use(token_id: int, last_used_at: datetime | None, now: datetime) -> None:
    if last_used_at is None or last_used_at < now - USE_NOTED_EVERY:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        PersonalToken.objects.filter(unnoted, pk=token_id).update(last_used_at=now)
