"""Who may sweep, and what a sweep hangs on, told to all workers by PostgreSQL's locks.

Locks of the session, not of a transaction: none is open while AWS is asked. They fall
with the connection, so a worker that dies holds nobody up.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection

# All the numbers there are, so that no two mean the same lock. Any of our own will do; keys of
# one number and keys of two are never the same lock.
LOOK = (0x100C,)  # one worker looks at executions
BEAT = (0x100D, 0x100E)  # two beat: one for everybody while the other hangs
STUCK = 0x100F  # and the source's key
STANDING_BY = 0x1010  # one worker hears at once what was decided (callbacks/standby)
COUNT = 0x1011  # one counts events for /metrics, for a transaction (models/counting)
SEARCH = 0x1017  # one makes requests searchable, for a transaction (models/indexing)
NOTIFY = (0x1012,)  # one worker hands over mails, or questions to sources
STAY = (0x1013, 0x1014)  # two send what is rung for: who stands by, and the one before or after
DELIVER = (0x1015, 0x1016)  # two sweep answers owed: one for everybody while the other hangs
READ = (0x1020,)  # one worker reads histories
SEAL = 0x1030  # one seals histories (ledger/sealing)


@contextmanager
def turn(keys: Collection[int]) -> Iterator[bool]:
    """Hold one of KEYS meanwhile; false, and nothing is held, if others hold them all."""
    mine = next((key for key in keys if _ask("SELECT pg_try_advisory_lock(%s)", key)), None)
    try:
        yield mine is not None
    finally:
        if mine is not None:
            _ask("SELECT pg_advisory_unlock(%s)", mine)


class Stuck:
    """The sources that sweeps hang on; other sweeps leave them alone until they move."""

    def __init__(self) -> None:
        self._mine: set[int] = set()

    def tell(self, sources: Collection[int]) -> None:
        """This worker hangs on SOURCES, and no longer on any other."""
        for source in self._mine.difference(sources):
            _ask("SELECT pg_advisory_unlock_shared(%s, %s)", STUCK, source)
        for source in set(sources) - self._mine:
            _ask("SELECT pg_try_advisory_lock_shared(%s, %s)", STUCK, source)
        self._mine = set(sources)

    def everywhere(self) -> list[int]:
        """The sources that this or any other worker hangs on."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT DISTINCT objid::bigint
                  FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2
                   AND datname = current_database()
                """,
                [STUCK],
            )
            return [row[0] for row in cursor.fetchall()]


@contextmanager
def stuck() -> Iterator[Stuck]:
    """A worker's own word on what it hangs on, taken back at the end."""
    told = Stuck()
    try:
        yield told
    finally:
        told.tell(())


def _ask(sql: str, *keys: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, keys)
        held: bool = cursor.fetchone()[0]
    return held
