"""Why an operator does it: a sentence for history, and for who reads it later."""

from __future__ import annotations

from django.utils.translation import gettext as _

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
        raise InvalidFields({"reason": _("Take out the NUL character.")})
    if len(reason) > REASON_LIMIT:
        raise InvalidFields(
            {
                "reason": _("Shorten it to %(reason_limit)s characters.")
                % {"reason_limit": REASON_LIMIT}
            }
        )
    return reason
