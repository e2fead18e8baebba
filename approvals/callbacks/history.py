"""An execution's history, read page by page and understood: callbacks and steps.

Reading ends, whatever AWS says: after so many pages, events or seconds, at a marker that
repeats, at a page that brings nothing new. What was not read to its beginning is not whole,
and what is missing from it is then not known to be missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from approvals.callbacks import replies
from approvals.callbacks.gateway import Address, Answer, CallbackGateway, Page, PastEvent
from approvals.states import Reply

MAX_PAGES = 20
MAX_EVENTS = 5_000
#: A sweep gives calls under way 14 s to land (lanes.GRACE), and one exchange takes up to
#: gateway.EXCHANGE_LIMIT, 13 s.
READ_WITHIN = timedelta(seconds=8)
#: Steps kept for people to see, the newest.
MAX_STEPS = 200

_OPERATION = re.compile(r"(Step|Wait|Callback|Context|ChainedInvoke)([A-Z]\w*)")
_TYPES = {"ChainedInvoke": "Invoke"}
_STATUSES = {"TimedOut": "TIMED_OUT"}

Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Past:
    """What was read, newest event first. IS_WHOLE: back to the beginning.

    ANSWER: that to the last page; not ACCEPTED, it says why no more was read.
    """

    answer: Answer
    events: tuple[PastEvent, ...] = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class CallbackPast:
    """When a callback began and, unless it is open, how it ended."""

    started: PastEvent
    ended: PastEvent | None = None

    @property
    def timed_out(self) -> bool:
        return self.ended is not None and self.ended.kind == "CallbackTimedOut"


class Reading:
    """One reading of one history, as far as CALLBACK_IDS and MAX_STEPS make it worth while."""

    def __init__(self, callback_ids: Collection[str]) -> None:
        self._unseen = set(callback_ids)
        self._numbers: set[int] = set()
        self._operations: set[str] = set()
        self.events: list[PastEvent] = []

    def take(self, page: Page) -> bool:
        """Keep what is new in PAGE; false if it holds events, but none that is new."""
        fresh = [e for e in page.events if not e.number or e.number not in self._numbers]
        self.events.extend(fresh)
        self._numbers.update(event.number for event in fresh)
        self._operations.update(event.operation for event in fresh)
        self._unseen.difference_update(event.callback_id for event in fresh)
        return bool(fresh) or not page.events

    @property
    def is_enough(self) -> bool:
        """Newest first: with a callback's start, all that came of it has been read."""
        many = len(self._operations) > MAX_STEPS
        return len(self.events) >= MAX_EVENTS or (many and not self._unseen)


def read(
    gateway: CallbackGateway,
    address: Address,
    execution_arn: str,
    *,
    callback_ids: Collection[str] = (),
    with_results: bool = False,
    pause: Pause = lambda: None,
) -> Past:
    """The history, newest first, until it is whole, enough, or too much. Never raises.

    PAUSE is called after every page: it keeps to AWS's rate.
    """
    began, reading, marker, asked = time.monotonic(), Reading(callback_ids), "", {""}
    for _ in range(MAX_PAGES):
        page = _ask(gateway, address, execution_arn, marker, with_results)
        pause()
        if page.answer.reply != Reply.ACCEPTED:
            return Past(page.answer, tuple(reading.events))
        was_new = reading.take(page)
        marker = page.next_marker
        if not marker:
            return Past(page.answer, tuple(reading.events), is_whole=True)
        is_late = time.monotonic() - began > READ_WITHIN.total_seconds()
        if reading.is_enough or is_late or not was_new or marker in asked:
            break
        asked.add(marker)
    return Past(page.answer, tuple(reading.events[:MAX_EVENTS]))


def _ask(
    gateway: CallbackGateway, address: Address, arn: str, marker: str, with_results: bool
) -> Page:
    try:
        return gateway.history(address, arn, marker=marker, with_results=with_results)
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        return Page(
            replies.unknown(type(error).__name__, gettext_noop("The portal failed to read."))
        )


def callback(past: Past, callback_id: str) -> CallbackPast | None:
    """What became of the callback of that very ID; None if PAST does not hold its start."""
    started = next(
        (e for e in past.events if e.kind == "CallbackStarted" and e.callback_id == callback_id),
        None,
    )
    if started is None:
        return None
    endings = ("CallbackSucceeded", "CallbackFailed", "CallbackTimedOut")
    ended = (e for e in past.events if e.kind in endings and e.operation == started.operation)
    return CallbackPast(started, next(ended, None) if started.operation else None)


def steps(past: Past) -> tuple[list[dict[str, Any]], bool]:
    """What the execution did, in order of time, the newest MAX_STEPS; and whether that is all.

    Each: id, name, type, status, started_at, ended_at (ISO 8601 or None), attempts.
    """
    found: dict[str, dict[str, Any]] = {}
    for event in sorted(past.events, key=lambda event: event.number):
        match = _OPERATION.fullmatch(event.kind)
        if match and event.operation:
            step = found.setdefault(event.operation, _new_step(event, match[1]))
            _advance(step, event, match[2])
    newest = list(found.values())[-MAX_STEPS:]
    return newest, past.is_whole and len(newest) == len(found)


def _new_step(event: PastEvent, kind: str) -> dict[str, Any]:
    return {
        "id": event.operation,
        "name": event.name,
        "type": _TYPES.get(kind, kind),
        "status": "STARTED",
        "started_at": None,
        "ended_at": None,
        "attempts": 0,
    }


def _advance(step: dict[str, Any], event: PastEvent, word: str) -> None:
    at = event.at.isoformat() if event.at else None
    if word == "Started":
        step["attempts"] += 1
        step["started_at"] = step["started_at"] or at
    step["attempts"] = max(step["attempts"], event.attempt or 0)
    step["status"] = "RETRYING" if event.retries else _STATUSES.get(word, word.upper())
    step["ended_at"] = None if word == "Started" or event.retries else at


def clock(moment: datetime | None) -> str:
    """As " at 12:01:03 UTC on 21 November 2026", or nothing where AWS gave no time."""
    return f" at {moment:%H:%M:%S} UTC on {moment:%-d %B %Y}" if moment else ""
