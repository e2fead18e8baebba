"""Which source sent a message, proven by its signature or its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from approvals.intake import signature
from approvals.models.source import CallbackSource, SourceKey, SourceSecret


@dataclass(frozen=True, slots=True)
class Sender:
    """A proven source; SIGNED_AT is None where it sent its key instead of a signature."""

    source: CallbackSource
    signed_at: datetime | None


_SLUG = re.compile(r"[a-zA-Z0-9_-]{1,63}")


def authenticate(slug: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Sender:
    """Who sent BODY in the name of SLUG, an active source.

    An unknown or inactive source asks the database and the keys the same questions as
    a known one, and is refused in the same words.

    Raises:
        UntrustedMessage: the message does not prove that SLUG sent it.
    """
    name = slug if _SLUG.fullmatch(slug) else ""  # PostgreSQL takes no NUL
    source = CallbackSource.objects.filter(slug=name, active=True).first()
    signed_at = None
    if signature.is_signed(headers):
        secrets = [row.reveal() for row in _secrets(name, now)]
        signed_at = signature.verify(
            headers, body, secrets=secrets, now=now, tolerance=settings.WEBHOOK_TOLERANCE
        )
    else:
        signature.verify_key(headers, key_hashes=_key_hashes(name, now))
    if source is None:  # a source removed between the two questions
        raise signature.UntrustedMessage("No signature matches a live secret of a known source.")
    return Sender(source, signed_at)


def _secrets(slug: str, now: datetime) -> list[SourceSecret]:
    live = SourceSecret.objects.live(now)
    return list(live.filter(source__slug=slug, source__active=True))


def _key_hashes(slug: str, now: datetime) -> list[str]:
    live = SourceKey.objects.live(now).filter(purpose=SourceKey.Purpose.REQUESTS)
    return list(
        live.filter(source__slug=slug, source__active=True).values_list("sha256", flat=True)
    )
