"""Is the portal fit to serve? Each part asked for itself, each within a second.

A part that hangs must not hang the answer: the questions are asked in threads of their
own, and who is not back in time counts as down. A thread that hangs keeps its place in
the pool, so that a frozen database costs a few threads, however often one asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from time import monotonic

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import ProgrammingError, connection
from redis import RedisError

from approvals import doorbell
from approvals.clock import database_now
from approvals.models import SweepMark
from approvals.operations.rhythm import PERIODS
from portal.beat import BEAT_LASTS, sign_seen

PART_LIMIT = timedelta(seconds=1)
#: Work that must not starve while other work is done, and the sweeps that do it: any of them.
_NEEDED = {
    "heartbeats": (doorbell.SEND_HEARTBEATS,),
    "clocks": (doorbell.EXPIRE_REQUESTS,),
    "answers": (doorbell.DELIVER_CALLBACKS, doorbell.STAND_BY),
}
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readiness")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing the portal stands on; DETAIL says what is wrong and what to do."""

    name: str
    ok: bool
    detail: str = ""


def readiness() -> list[Part]:
    """Database, broker, worker and beat, all within PART_LIMIT."""
    began = monotonic()
    rows, signs = _pool.submit(_ask_database), _pool.submit(_ask_broker)
    return [*_in_time(rows, _database_down, began), *_in_time(signs, _broker_down, began)]


def _ask_database() -> list[Part]:
    try:
        ends, now = SweepMark.objects.ends(chain(*_NEEDED.values())), database_now()
    except ProgrammingError:
        return _database_down("its tables are missing: run manage.py migrate.")
    except DatabaseError as error:
        return _database_down(f"{type(error).__name__}: check DATABASE_URL and the server.")
    finally:
        connection.close()  # nobody else would: this thread serves no requests
    missing = _missing(ends, now)
    return [Part("database", True), Part("worker", not missing, _worker_sentence(missing))]


def _missing(ends: Mapping[str, datetime], now: datetime) -> dict[str, timedelta | None]:
    """The kinds of work for which no sweep ended lately, and since when; None: never."""
    found: dict[str, timedelta | None] = {}
    for work, names in _NEEDED.items():
        silent = min((now - ends[name] for name in names if name in ends), default=None)
        if silent is None or silent > _patience(names):
            found[work] = silent
    return found


def _patience(names: Sequence[str]) -> timedelta:
    """Two sweeps may be missed, however soon a worker is to be missed otherwise."""
    periods = timedelta(seconds=2 * max(PERIODS[name] for name in names))
    return max(settings.WORKER_SEEN_WITHIN, periods)


def _worker_sentence(missing: Mapping[str, timedelta | None]) -> str:
    if not missing:
        return ""
    if len(missing) < len(_NEEDED):
        each = (f"no sweep of {work} has finished {_since(t)}" for work, t in missing.items())
        sentence = ", ".join(each)
        return f"{sentence.capitalize()}: start more workers, and look into the worker's log."
    latest = min((silent for silent in missing.values() if silent is not None), default=None)
    return (
        f"No sweep has finished {_since(latest)}: start a worker, and look into the worker's log."
    )


def _since(silent: timedelta | None) -> str:
    return "yet" if silent is None else f"for {silent.total_seconds():.0f} s"


def _ask_broker() -> list[Part]:
    try:
        seen = sign_seen()
    except RedisError as error:
        return _broker_down(f"{type(error).__name__}: check REDIS_URL and the server.")
    silent = f"Beat has not rung for {BEAT_LASTS.seconds} s: start beat, and look into its log."
    return [Part("broker", True), Part("beat", seen, "" if seen else silent)]


def _database_down(why: str) -> list[Part]:
    unknown = "Not known while the database does not answer."
    return [
        Part("database", False, f"The database cannot be used, {why}"),
        Part("worker", False, unknown),
    ]


def _broker_down(why: str) -> list[Part]:
    unknown = "Not known while the broker does not answer."
    return [
        Part("broker", False, f"The broker cannot be used, {why}"),
        Part("beat", False, unknown),
    ]


def _in_time(
    asked: Future[list[Part]], down: Callable[[str], list[Part]], began: float
) -> list[Part]:
    left = PART_LIMIT.total_seconds() - (monotonic() - began)
    try:
        return asked.result(timeout=max(left, 0))
    except TooLate:
        asked.cancel()
        return down(f"no answer within {PART_LIMIT.seconds} s: check the server.")
