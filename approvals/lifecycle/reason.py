"""Why an operator does it: a sentence for history, and for who reads it later."""

from __future__ import annotations

from approvals.errors import InvalidFields

REASON_LIMIT = 500  # characters


def checked_reason(reason: str, missing: str) -> str:
    """REASON on one line, trimmed; MISSING is what is said where there is none.

    Raises:
        InvalidFields: it is missing, too long, or holds a NUL character.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidFields({"reason": missing})
    if "\0" in reason:
        raise InvalidFields({"reason": "Take out the NUL character."})
    if len(reason) > REASON_LIMIT:
        raise InvalidFields({"reason": f"Shorten it to {REASON_LIMIT} characters."})
    return reason
