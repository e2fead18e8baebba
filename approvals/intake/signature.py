"""Who sent this? Standard Webhooks signatures, or a source key, on the raw bytes.

Pure: headers, body, keys and time come in as arguments. Whatever is wrong is one and
the same refusal, and it takes about the same time whether or not the source exists.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from approvals.models.source import LIVE_SECRETS

SIGNATURE_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")

MAX_HEADER_LENGTH = 2_048
MAX_SIGNATURES = 8

# No dot in an id: "<id>.<timestamp>.<body>" cannot be cut in two ways.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v[0-9]{1,2}[a-z]?,[A-Za-z0-9+/]{1,512}={0,2}")
_BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9._~+/=-]{16,256})")

# Stands in for secrets and keys that are not there, so that their absence costs the
# same work. Nobody can sign with it: it is never a candidate that may match.
_NOBODY = b"\x00" * 32


class UntrustedMessage(Exception):
    """The message does not prove its source (401). The text never says which secret."""


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a signature is offered; then it must verify, whatever else is sent."""
    return any(name in headers for name in SIGNATURE_HEADERS)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[bytes],
    now: datetime,
    tolerance: timedelta,
) -> datetime:
    """Return when BODY was signed, if one of SECRETS made a fresh signature over it.

    Scheme: Standard Webhooks (standardwebhooks.com). HMAC-SHA256 over the bytes
    "<webhook-id>.<webhook-timestamp>.<body>", base64, sent as one or more
    space-separated "v1,<signature>" items so that a secret can be rotated. Items of
    other versions are passed over. SECRETS is empty where the source is unknown.

    Units: webhook-timestamp is whole seconds since the epoch, UTC.

    Raises:
        UntrustedMessage: a header is missing or malformed, the timestamp is more than
            TOLERANCE away from NOW, or no signature matches.
    """
    message_id, stamp, offered = _strict_headers(headers)
    if abs(int(stamp) - now.timestamp()) > tolerance.total_seconds():
        raise UntrustedMessage(
            "The signature's timestamp is more than "
            f"{tolerance.total_seconds():.0f} seconds away from the portal's clock."
        )
    signed = b".".join([message_id.encode(), stamp.encode(), body])
    if not _any_matches(offered, signed, secrets):
        raise UntrustedMessage("No signature matches a live secret of a known source.")
    return datetime.fromtimestamp(int(stamp), tz=UTC)


def verify_key(headers: Mapping[str, str], *, key_hashes: Sequence[str]) -> None:
    """Return if the Bearer key sent is one whose SHA-256 (hex) is in KEY_HASHES.

    Raises:
        UntrustedMessage: no well-formed key is sent, or no hash matches.
    """
    found = _BEARER.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise UntrustedMessage(
            "Sign the message (Standard Webhooks), or send the source key as a Bearer token; "
            "events come with a key for events."
        )
    digest = hashlib.sha256(found[1].encode()).digest()
    candidates = _padded([bytes.fromhex(known) for known in key_hashes])
    matches = [hmac.compare_digest(digest, candidate) for candidate in candidates]
    if not any(matches[: len(key_hashes)]):
        raise UntrustedMessage("The key is not a live key of a known source.")


def _strict_headers(headers: Mapping[str, str]) -> tuple[str, str, list[str]]:
    message_id, stamp, signatures = (headers.get(name, "") for name in SIGNATURE_HEADERS)
    offered = signatures.split(" ") if len(signatures) <= MAX_HEADER_LENGTH else []
    well_formed = (
        _MESSAGE_ID.fullmatch(message_id)
        and _TIMESTAMP.fullmatch(stamp)
        and 1 <= len(offered) <= MAX_SIGNATURES
        and all(_SIGNATURE.fullmatch(item) for item in offered)
    )
    if not well_formed:
        raise UntrustedMessage("Signature headers are missing or malformed.")
    return message_id, stamp, offered


def _any_matches(offered: Sequence[str], signed: bytes, secrets: Sequence[bytes]) -> bool:
    """Try every signature with every secret, and no fewer than LIVE_SECRETS of them."""
    matches: list[bool] = []
    for place, secret in enumerate(_padded(secrets)):
        expected = b"v1," + base64.b64encode(hmac.digest(secret, signed, "sha256"))
        for item in offered:
            same = hmac.compare_digest(item.encode(), expected)
            matches.append(same and place < len(secrets))
    return any(matches)


def _padded(candidates: Sequence[bytes]) -> list[bytes]:
    return [*candidates, *[_NOBODY] * (LIVE_SECRETS - len(candidates))]
