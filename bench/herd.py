"""Callbacks that want heartbeats, by the million: copies of one that the portal wrote.

Callback IDs are sealed each to its own row, which SQL cannot do: `python -m bench.herd
FIRST LAST` seals those of such numbers into a table, from which INSERT ... SELECT takes
them. Rows that no run comes to need none.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from datetime import UTC, datetime, timedelta

import django
import psycopg

from bench import crowd
from bench.crowd import REQUESTS, bare_tables, copies
from bench.messages import FUNCTION_ARN
from bench.stand_in import NUMBER_DIGITS

FIRST = 1_000_001
BEATS = "approvals_heartbeat"
SEALED = "bench_sealed"
#: From writing a schedule to its first beat.
LEAST_AHEAD, AHEAD_A_ROW = timedelta(seconds=3), timedelta(microseconds=80)
_TAIL = base64.b64encode(f"?{FUNCTION_ARN}:7/durable-execution/a-name/0f8e2d".encode() * 2).decode()

_ROWS = f"""
  FROM (SELECT n, s.sha256, s.sealed, now() + interval '20 days' AS day
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
          LEFT JOIN {SEALED} s USING (n)) rows, {{original}} original
"""  # nosec B608  our own word
_REQUEST = {
    **crowd.REQUEST,
    "callback_sha256": "coalesce(sha256, md5('callback' || n) || md5(n || 'callback'))",
    "callback_sealed": r"coalesce(sealed, '\x00'::bytea)",
    "received_at": "now()",
    "sent_at": "now()",
    "clock_at": "day",
    "state": "'pending'",
    "closed_at": "NULL",
}
_HEARTBEAT = {"request_id": "n"}
#: Beats as if they had long been kept: each number has its own place in the interval.
_SCHEDULE = f"""
    UPDATE {BEATS} SET "interval" = %(interval)s, beats = 0, misses = 0, trouble = '',
           next_beat_at = %(start)s::timestamptz
               + %(interval)s * ((request_id - %(first)s)::float / %(number)s)
"""  # nosec B608  our own word


def callback_id(number: int) -> str:
    """204 characters, as many as the local runner's; its number first, for the stand-in."""
    return f"{number:0{NUMBER_DIGITS}d}{_TAIL}"


class Herd:
    """The requests numbered from FIRST on, each with a heartbeat."""

    def __init__(self, database: psycopg.Connection) -> None:
        """From the one request in DATABASE, which then keeps still."""
        self._database = database
        self.size = 0
        for table, key in ((REQUESTS, "id"), (BEATS, "request_id")):
            database.execute(
                f"CREATE TEMP TABLE original_{table} AS SELECT * FROM {table}"
                f" ORDER BY {key} DESC LIMIT 1"
            )
        database.execute(f"DELETE FROM {BEATS}")
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {SEALED} (n bigint, sha256 text, sealed bytea)"
        )

    def grow(self, size: int) -> None:
        """Be SIZE in all."""
        bounds = {"first": FIRST + self.size, "last": FIRST + size - 1, "payload": "{}"}
        with bare_tables(self._database, (REQUESTS, BEATS)):
            for table, columns in ((REQUESTS, _REQUEST), (BEATS, _HEARTBEAT)):
                self._database.execute(copies(self._database, table, columns, _ROWS), bounds)
        self.size = size
        for table in (REQUESTS, BEATS):
            self._database.execute(f"VACUUM ANALYZE {table}")

    def schedule(self, interval: timedelta) -> float:
        """Beats every INTERVAL, the first in a while; when, in seconds since the epoch.

        It returns before. Writing it takes time, so the first are due when it is surely done.
        """
        within = LEAST_AHEAD + self.size * AHEAD_A_ROW
        while True:
            start = datetime.now(UTC) + within
            values = {"interval": interval, "start": start, "first": FIRST, "number": self.size}
            self._database.execute(_SCHEDULE, values)
            self._database.execute(f"VACUUM ANALYZE {BEATS}")
            if datetime.now(UTC) < start:
                return start.timestamp()
            within *= 2

    def all_due(self) -> None:
        """Every beat is due now."""
        self._database.execute(f"UPDATE {BEATS} SET next_beat_at = now()")


def seal(first: int, last: int) -> None:
    """Write the sealed callback IDs of the numbers FIRST to LAST into their table."""
    # Models can be imported only once Django is set up.
    from django.db import connection  # noqa: PLC0415

    from approvals import keyring  # noqa: PLC0415
    from approvals.models.request import callback_place  # noqa: PLC0415

    with connection.cursor() as cursor, cursor.copy(f"COPY {SEALED} FROM STDIN") as copy:
        for number in range(first, last + 1):
            plain = callback_id(number).encode()
            sha256 = hashlib.sha256(plain).hexdigest()
            copy.write_row((number, sha256, keyring.seal(plain, place=callback_place(sha256))))


if __name__ == "__main__":
    django.setup()
    seal(int(sys.argv[1]), int(sys.argv[2]))
