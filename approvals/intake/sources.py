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
    SourceKey,
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
        source = _by_key(name, headers, now=now, purpose=SourceKey.Purpose.REQUESTS)
        signed_at = None
    if source is None:  # cannot be: nothing verifies against no secret and no key
        raise signature.UntrustedMessage("No signature matches a live secret of a known source.")
    return Sender(source, signed_at)


def authenticate_events(slug: str, headers: Mapping[str, str], *, now: datetime) -> CallbackSource:
    """The active source SLUG, for whoever sends its key for events; as `authenticate`.

    EventBridge cannot sign: a signature is refused unread, so that no secret of the other
    door is ever of use at this one.

    Raises:
        UntrustedMessage: no such key is sent.
    """
    if signature.is_signed(headers):
        raise signature.UntrustedMessage(
            "Events are not signed: send the source's key for events as a Bearer token."
        )
    name = slug if _SLUG.fullmatch(slug) else ""
    source = _by_key(name, headers, now=now, purpose=SourceKey.Purpose.EVENTS)
    if source is None:  # cannot be, as above
        raise signature.UntrustedMessage("The key is not a live key of a known source.")
    return source


def _by_key(
    name: str, headers: Mapping[str, str], *, now: datetime, purpose: SourceKey.Purpose
) -> CallbackSource | None:
    source, key_hashes = active_source_and_key_hashes(name, now, purpose=purpose)
    signature.verify_key(headers, key_hashes=key_hashes)
    return source
