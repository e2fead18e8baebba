"""Events of an execution's history: from AWS's words to ours, payloads left behind.

Of what ended a callback only a fingerprint is kept: enough to tell whether it was our
answer, and nothing that could be logged. Pure, and patient with what makes no sense.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from approvals.callbacks.gateway import Answer, Page, PastEvent, Said
from approvals.states import Reply

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_WAIT_SECONDS = 100_000_000  # the API ends just below


def page(found: Mapping[str, Any]) -> Page:
    """What one answer of GetDurableExecutionHistory holds."""
    events = tuple(_event(raw) for raw in found.get("Events") or () if isinstance(raw, Mapping))
    return Page(Answer(Reply.ACCEPTED), events, _text(found.get("NextMarker"), 4096))


def _event(raw: Mapping[str, Any]) -> PastEvent:
    kind = _text(raw.get("EventType"), 64)
    details = _part(raw, f"{kind}Details")
    return PastEvent(
        number=_whole(raw.get("EventId")) or 0,
        kind=kind,
        operation=_text(raw.get("Id"), 64),
        name=_text(raw.get("Name"), 256),
        at=_moment(raw.get("EventTimestamp")),
        attempt=_whole(_part(details, "RetryDetails").get("CurrentAttempt")),
        retries=bool(_part(details, "RetryDetails").get("NextAttemptDelaySeconds")),
        callback_id=_text(details.get("CallbackId"), 1024),
        timeout_seconds=_whole(details.get("Timeout")),
        heartbeat_timeout_seconds=_whole(details.get("HeartbeatTimeout")),
        error_type=_text(_part(_part(details, "Error"), "Payload").get("ErrorType"), 64),
        said=_said(kind, details),
    )


def _said(kind: str, details: Mapping[str, Any]) -> Said | None:
    """The fingerprint of what ended a callback; None where AWS does not show it."""
    if kind == "CallbackSucceeded":
        part = _part(details, "Result")
        text = part.get("Payload")
    elif kind == "CallbackFailed":
        part = _part(details, "Error")
        error = _part(part, "Payload")
        text = error.get("ErrorData")
        if text is None and any(error.values()):
            return _UNSAID
    else:
        return None
    if not isinstance(text, str):
        return None
    # The local runner says so of every error, and shows it whole.
    return replace(fingerprint(text), is_whole=not part.get("Truncated"))


def fingerprint(text: str) -> Said:
    """What tells TEXT from any other answer: its hash, and the ids in a document of ours."""
    sha256 = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Said(sha256)
    if not isinstance(document, dict):
        return Said(sha256, is_json=True)
    request_id, decision_id = (document.get(name) for name in ("request_id", "decision_id"))
    return Said(sha256, _text(request_id, 64), _text(decision_id, 64), is_json=True)


#: An error shown without its data: there was none, or AWS keeps it back.
_UNSAID = replace(fingerprint(""), is_whole=False)


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = of.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object, limit: int) -> str:
    return _CONTROL.sub("", value)[:limit] if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < _LONGEST_WAIT_SECONDS else None


def _moment(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
