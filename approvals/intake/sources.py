"""Which source sent a message, proven by its signature or its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from approvals.intake import signature
from approvals.models.source import (
    CallbackSource,
    active_source_and_key_hashes,
    active_source_and_secrets,
)


@dataclass(frozen=True, slots=True)
class Sender:
    """A proven source; SIGNED_AT is None where it sent its key instead of a signature."""

    source: CallbackSource
    signed_at: datetime | None


_SLUG = re.compile(r"[a-zA-Z0-9_-]{1,63}")


def authenticate(slug: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Sender:
    """Who sent BODY in the name of SLUG, an active source.

    An unknown or inactive source asks the database and the keys the same questions as
    a known one, and is refused in the same words. One statement: what the body holds is
    nobody's business until its sender is known.

    Raises:
        UntrustedMessage: the message does not prove that SLUG sent it.
    """
    name = slug if _SLUG.fullmatch(slug) else ""  # PostgreSQL takes no NUL
    if signature.is_signed(headers):
        source, secrets = active_source_and_secrets(name, now)
        signed_at = signature.verify(
            headers, body, secrets=secrets, now=now, tolerance=settings.WEBHOOK_TOLERANCE
        )
    else:
        source, key_hashes = active_source_and_key_hashes(name, now)
        signature.verify_key(headers, key_hashes=key_hashes)
        signed_at = None
    if source is None:  # cannot be: nothing verifies against no secret and no key
        raise signature.UntrustedMessage("No signature matches a live secret of a known source.")
    return Sender(source, signed_at)
