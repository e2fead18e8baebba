"""A chain of lines, each sealed to the one before.

mac(n) = HMAC-SHA256(AUDIT_KEY, mac(n-1) | canonical JSON of line n)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Protocol

from django.conf import settings

from approvals.canonical import plain_json

GENESIS = b"\0" * 32


def seal_line(before: bytes, line: dict[str, Any]) -> bytes:
    """The seal of LINE after the line whose seal is BEFORE (GENESIS for the first)."""
    return hmac.digest(settings.AUDIT_KEY, before + plain_json(line).encode(), hashlib.sha256)


def holds(mac: bytes, before: bytes, line: dict[str, Any]) -> bool:
    return hmac.compare_digest(mac, seal_line(before, line))


class Link(Protocol):
    """One line of a chain, as it is kept."""

    @property
    def seq(self) -> int: ...

    @property
    def mac(self) -> bytes | memoryview: ...

    def line(self) -> dict[str, Any]: ...


def first_break(links: Iterable[Link]) -> int | None:
    """The number at which a chain does not hold, LINKS being its lines in order; None if whole."""
    before, expected = GENESIS, 1
    for link in links:
        if link.seq != expected or not holds(bytes(link.mac), before, link.line()):
            return expected
        before, expected = bytes(link.mac), expected + 1
    return None
