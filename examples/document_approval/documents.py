"""Sample documents, as events for the document approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Event = dict[str, Any]


def policy() -> Event:
    """A travel policy with three changes; Dana or Priya decides."""
    return {
        "reviewers": ["dana", "priya"],
        "document": {
            "document_id": "POL-017",
            "title": "Travel and expenses policy",
            "revision": 4,
            "replaces": 3,
            "author": "tomas",
            "audience": "all staff",
            "in_force_from": "2026-12-01",
            "abstract": "Night trains count as working time, receipts are **photos only**, and "
            "the daily allowance abroad rises. Nothing else changes.",
            "changes": [
                _change("2.3 Trains", "Night trains: not covered", "Night trains: working time"),
                _change("4.1 Receipts", "Paper, within 30 days", "Photo, within 10 days"),
                _change("5.2 Allowance abroad", "48.00 EUR a day", "56.00 EUR a day"),
            ],
            "text": "The company pays for travel it has asked for. Travel by train where a train "
            "takes less than six hours; time on a night train is working time. Hand in a photo "
            "of each receipt within ten days. Abroad, the daily allowance is 56.00 EUR.",
            "tags": ["policy", "finance", "all-staff"],
            "file": {"name": "travel-policy-r4.pdf", "pages": 6},
        },
    }


def press_release() -> Event:
    """A press release that only Priya may let out."""
    return {
        "reviewers": ["priya"],
        "document": {
            "document_id": "PR-2026-11",
            "title": "Press release: repair service opens in Tromsø",
            "revision": 1,
            "replaces": None,
            "author": "dana",
            "audience": "the press",
            "in_force_from": "2026-11-23",
            "abstract": "Tents, stoves and boots are repaired in Tromsø from 1 December.",
            "text": "Whoever bought from us repairs with us: from 1 December our workshop in "
            "Storgata 88 takes tents, stoves and boots. Most repairs are done within a week.",
            "tags": ["press", "public"],
        },
    }


SHAPES: Mapping[str, Callable[[], Event]] = {"policy": policy, "press-release": press_release}


def _change(clause: str, now: str, then: str) -> dict[str, str]:
    return {"clause": clause, "now": now, "then": then}
