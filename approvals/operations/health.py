"""Is the portal fit to serve? Each part asked for itself, each within a second.

A part that hangs must not hang the answer: the questions are asked in threads of their
own, and who is not back in time counts as down. A thread that hangs keeps its place in
the pool, so that a frozen database costs a few threads, however often one asks.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import ProgrammingError, connection
from redis import RedisError

from approvals.clock import database_now
from approvals.models import SweepMark
from portal.beat import BEAT_LASTS, sign_seen

PART_LIMIT = timedelta(seconds=1)
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
        end, now = SweepMark.objects.latest_end(), database_now()
    except ProgrammingError:
        return _database_down("its tables are missing: run manage.py migrate.")
    except DatabaseError as error:
        return _database_down(f"{type(error).__name__}: check DATABASE_URL and the server.")
    finally:
        connection.close()  # nobody else would: this thread serves no requests
    silent = now - end if end else None
    if silent is not None and silent <= settings.WORKER_SEEN_WITHIN:
        return [Part("database", True), Part("worker", True)]
    return [Part("database", True), Part("worker", False, _worker_sentence(silent))]


def _worker_sentence(silent: timedelta | None) -> str:
    since = f"for {silent.total_seconds():.0f} s" if silent else "yet"
    return f"No sweep has finished {since}: start a worker, and look into the worker's log."


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
