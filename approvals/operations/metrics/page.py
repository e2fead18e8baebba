"""The page a scraper reads. Each part is asked for itself: one that fails hides no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from approvals.operations.metrics import happened, standing
from approvals.operations.metrics.broker import bells
from approvals.operations.metrics.families import gauge, gauges

Part = Callable[[], Iterator[Metric]]

#: Each asks the database once or a few times, under a limit of its own.
PARTS: dict[str, Part] = {
    "sweeps": happened.sweeps,
    "counted": happened.counted,
    "requests": standing.requests,
    "holds": standing.holds,
    "deadlines": standing.deadlines,
    "deciders": standing.deciders,
    "deliveries": standing.deliveries,
    "due_work": standing.due_work,
    "circuits": standing.circuits,
}
PART_LIMIT = timedelta(seconds=2)
#: Below Prometheus' own limit of 10 s for a scrape.
LIMIT = timedelta(seconds=8)

log = structlog.get_logger(__name__)
# Threads of its own, as readiness has: a database that hangs costs two, however often one asks.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="metrics")


class TookTooLong(Exception):
    """The database did not answer within LIMIT."""


def exposition(accept: str) -> tuple[bytes, str]:
    """All figures in the format that ACCEPT (a header) prefers, and the name of that format.

    Raises:
        TookTooLong: nothing to tell but that.
    """
    encode, content_type = choose_encoder(accept)
    try:
        return _pool.submit(_encoded, encode).result(LIMIT.total_seconds()), content_type
    except NotYet:
        raise TookTooLong from None


def _encoded(encode: Callable[[CollectorRegistry], bytes]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    try:
        return encode(registry)
    finally:
        connection.close()  # nobody else would: this thread serves no requests


class Figures(Collector):
    """Everything, as it is at the moment of the scrape."""

    def collect(self) -> Iterator[Metric]:
        seconds: dict[str, float] = {}
        failed: set[str] = set()
        up = _database_answers()
        for name, part in PARTS.items() if up else ():
            began = monotonic()
            try:
                with _bounded():
                    yield from list(part())
            except DatabaseError as error:
                failed.add(name)
                log.warning("metrics_part_failed", part=name, error=type(error).__name__)
            seconds[name] = monotonic() - began
        yield from bells()
        yield gauge("database_up", "1 if the database answers.", up)
        yield gauges("scrape_part_seconds", "How long each part of this page took.", ["part"],
                     [([name], took) for name, took in seconds.items()])  # fmt: skip
        yield gauges("scrape_part_failed", "1 if a part of this page is missing.", ["part"],
                     [([name], float(name in failed)) for name in PARTS])  # fmt: skip


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("metrics_database_down", error=type(error).__name__)
        return False
    return True


@contextmanager
def _bounded() -> Iterator[None]:
    """Only reads, and no statement longer than PART_LIMIT."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        limit = f"{PART_LIMIT.total_seconds():.0f}s"
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        yield
