"""Answers owed to AWS: copies of one request that a reviewer decided, each all its own.

Callback ID and answer are sealed to their rows one by one, which SQL cannot do:
`python -m bench.owed FIRST LAST` seals those of such numbers into a table, from which
INSERT ... SELECT takes them.
"""

from __future__ import annotations

import hashlib
import sys

import django
import psycopg
from psycopg import sql

from bench.crowd import REQUESTS, bare_tables, copies
from bench.figures import BenchError, expect
from bench.herd import BEATS, FIRST, callback_id

DELIVERIES, EXECUTIONS = "approvals_callbackdelivery", "approvals_execution"
HISTORY, SOURCES = "approvals_auditevent", "approvals_callbacksource"
SEALED = "bench_owed"
#: What the yardsticks send: the answer in plain, as number 0.
AN_ANSWER = f"SELECT body FROM {SEALED} WHERE n = 0"  # nosec B608  our own word
_KEEP_ANSWER = f"INSERT INTO {SEALED} (n, body) VALUES (0, %s) ON CONFLICT DO NOTHING"  # nosec B608  our own word
#: As many sources as are ever owed for at once.
MOST_SOURCES = 8

_ROWS = f"""
  FROM (SELECT n, s.sha256, s.callback, s.body,
               (%(sources)s::bigint[])[1 + n %% cardinality(%(sources)s::bigint[])] AS source
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
          JOIN {SEALED} s USING (n)) rows, {{original}} original
"""  # nosec B608  our own word
#: What differs from the original; each request keeps its execution, heartbeat and history.
_COLUMNS = {
    EXECUTIONS: {"id": "n", "source_id": "source", "arn": "original.arn || n"},
    REQUESTS: {
        "id": "n",
        "public_id": "md5('public' || n)::uuid",
        "source_id": "source",
        "execution_id": "n",
        "callback_sha256": "sha256",
        "callback_sealed": "callback",
    },
    HISTORY: {"id": "DEFAULT", "request_id": "n"},
    BEATS: {"request_id": "n", "source_id": "source"},
    DELIVERIES: {
        "id": "DEFAULT",
        "request_id": "n",
        "source_id": "source",
        "sealed_body": "body",
        "next_attempt_at": "now()",
    },
}
#: Which of a table's rows are the original's.
_KEYS = {EXECUTIONS: "id", REQUESTS: "id"}

_SOURCE = {"id": "DEFAULT", "slug": "'orders-' || n"}
_SOURCE_ROWS = "FROM generate_series(2, %(sources)s) n, {original} original"

#: What of the numbers was settled as it must be, and what there is of each kind.
_SETTLED = f"""
    SELECT (SELECT count(*) FROM {DELIVERIES} WHERE request_id BETWEEN %(first)s AND %(last)s
               AND state = 'delivered' AND attempts = 1 AND NOT in_flight AND NOT unknown_attempt),
           (SELECT count(*) FROM {HISTORY} WHERE request_id BETWEEN %(first)s AND %(last)s
               AND tag = 'delivery.delivered'),
           (SELECT count(DISTINCT request_id) FROM {HISTORY}
             WHERE request_id BETWEEN %(first)s AND %(last)s AND tag = 'delivery.delivered'),
           (SELECT count(*) FROM {BEATS} WHERE request_id BETWEEN %(first)s AND %(last)s)
"""  # nosec B608  our own word


class Owed:
    """The answers numbered from FIRST on, each owed once; `ended` says what became of them."""

    def __init__(self, database: psycopg.Connection) -> None:
        """From the one decided request in DATABASE, whose own answer is put off."""
        self._database = database
        self._next = FIRST
        for table in _COLUMNS:
            self._keep_original(table, _KEYS.get(table, "request_id"))
        database.execute(f"UPDATE {DELIVERIES} SET next_attempt_at = now() + interval '1 day'")
        database.execute(
            f"CREATE TABLE {SEALED} (n bigint PRIMARY KEY, sha256 text, callback bytea, body bytea)"
        )
        self._sources = self._make_sources()

    def add(self, number: int, *, sources: int) -> range:
        """NUMBER more are due now, for SOURCES in turn; their numbers, all sealed before."""
        numbers = range(self._next, self._next + number)
        values = {
            "first": numbers[0],
            "last": numbers[-1],
            "sources": self._sources[:sources],
        }
        with bare_tables(self._database, ()):  # their indexes stay
            for table, columns in _COLUMNS.items():
                written = self._database.execute(
                    copies(self._database, table, columns, _ROWS), values
                ).rowcount
                expect(written >= number, True, f"{table}: enough rows written")
        for table in _COLUMNS:
            self._database.execute(f"VACUUM ANALYZE {table}")
        self._next += number
        return numbers

    @property
    def next(self) -> int:
        return self._next

    def expect_delivered(self, numbers: range) -> None:
        """Each of NUMBERS was delivered, at its first attempt, and its history says so once.

        Raises:
            BenchError: one was not.
        """
        bounds = {"first": numbers[0], "last": numbers[-1]}
        found = self._database.execute(_SETTLED, bounds).fetchone()
        wanted = (len(numbers), len(numbers), len(numbers), 0)
        expect(found, wanted, "delivered; lines that say so; of so many; heartbeats left")

    def _keep_original(self, table: str, key: str) -> None:
        kept = self._database.execute(
            sql.SQL(
                "CREATE TEMP TABLE {} AS SELECT * FROM {} WHERE {} = (SELECT {} FROM {})"
            ).format(
                sql.Identifier(f"original_{table}"),
                sql.Identifier(table),
                sql.Identifier(key),
                sql.Identifier("execution_id" if table == EXECUTIONS else "request_id"),
                sql.Identifier(REQUESTS if table == EXECUTIONS else DELIVERIES),
            )
        )
        if not kept.rowcount:
            raise BenchError(f"The decided request has left nothing in {table}.")

    def _make_sources(self) -> list[int]:
        self._database.execute(
            f"CREATE TEMP TABLE original_{SOURCES} AS SELECT * FROM {SOURCES} LIMIT 1"
        )
        self._database.execute(
            copies(self._database, SOURCES, _SOURCE, _SOURCE_ROWS), {"sources": MOST_SOURCES}
        )
        return [pk for (pk,) in self._database.execute(f"SELECT id FROM {SOURCES} ORDER BY id")]


def seal(first: int, last: int) -> None:
    """Write callback IDs and answers of the numbers FIRST to LAST, sealed, into their table."""
    # Models can be imported only once Django is set up.
    from django.db import connection  # noqa: PLC0415

    from approvals import keyring  # noqa: PLC0415
    from approvals.models import CallbackDelivery  # noqa: PLC0415
    from approvals.models.delivery import body_place  # noqa: PLC0415
    from approvals.models.request import callback_place  # noqa: PLC0415

    answer = CallbackDelivery.objects.earliest("pk").body
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_ANSWER, [answer])
    with connection.cursor() as cursor, cursor.copy(f"COPY {SEALED} FROM STDIN") as copy:
        for number in range(first, last + 1):
            plain = callback_id(number).encode()
            sha256 = hashlib.sha256(plain).hexdigest()
            callback = keyring.seal(plain, place=callback_place(sha256))
            copy.write_row(
                (number, sha256, callback, keyring.seal(answer, place=body_place(number)))
            )


if __name__ == "__main__":
    django.setup()
    seal(int(sys.argv[1]), int(sys.argv[2]))
