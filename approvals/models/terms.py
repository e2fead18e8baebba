"""What a request asks, and how its answer is formed: sealed in its first line of history.

The rows are guarded by triggers; against somebody who goes past them the seal tells. Not
among the terms are clocks, which move, and what the line names by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from approvals.canonical import plain_json, sha256_hex

#: Columns of text, so that they read the same before they are written and ever after.
TERMS = (
    "callback_sha256", "content_sha256", "title", "summary", "requested_by", "on_behalf_of",
    "agent", "on_reject", "on_timeout", "approve_with", "reject_with", "subject",
)  # fmt: skip


def terms_sha256(values: Sequence[str | None]) -> str:
    """The hash of a request's VALUES, in the order of TERMS."""
    return sha256_hex(plain_json(list(values)))
