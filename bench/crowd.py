"""Requests by the million: one that the portal wrote itself, copied by SQL.

Every column that is not said here is the original's, so that a new one needs nothing here.
Triggers and foreign keys rest meanwhile (session_replication_role); CHECKs hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from bench.figures import BenchError

TEAMS = 200
#: Ada's teams, by rank of size: of all that is asked, they are asked one in eleven.
HER_TEAMS = (1, 11, 51, 101, 200)
#: One in so many is asked of Ada by name.
BY_NAME_EVERY = 1_000
#: One in so many of the closed has a decision of hers, as far as the queue must look.
DECIDED_EVERY = 10
#: Rows a statement writes: progress is told, and a mistake does not cost ten minutes.
BATCH = 500_000

REQUESTS, ASSIGNMENTS = "approvals_approvalrequest", "approvals_assignment"
DECISIONS = "approvals_decision"
FILLED = (REQUESTS, ASSIGNMENTS, DECISIONS)
#: What requests are found by. The sweep that writes it in life would take an hour.
WORDS = "approvals_searchtext"

_PAYLOAD = json.dumps(
    {
        "order_id": "NO-0004711",
        "customer": {"name": "Halvard Brekke"},
        "totals": {"goods": "4134.00", "grand": "4146.50"},
        "currency": "EUR",
    }
)

#: What differs from the original; `n` is the row's number, `closed` whether it is closed.
REQUEST = {
    "id": "n",
    "public_id": "md5('public' || n)::uuid",
    "callback_sha256": "md5('callback' || n) || md5(n || 'callback')",
    "callback_sealed": "'\\x00'::bytea",
    "title": "'Release order NO-' || lpad(n::text, 8, '0')",
    "summary": "''",
    "payload": "%(payload)s::jsonb",
    "payload_text": "%(payload)s",
    "requested_by": "'requester-' || n %% 5000",
    "risk_score": "n %% 101",
    "subject": "''",
    "received_at": "day - interval '20 days'",
    "sent_at": "day - interval '20 days'",
    "due_at": "NULL",
    "answer_by": "day",
    "queue_at": "day",
    "callback_expires_at": "day + interval '1 hour'",
    "state": "CASE WHEN NOT closed THEN 'pending' WHEN n %% 7 = 0 THEN 'rejected'"
    " ELSE 'approved' END",
    "closed_at": "CASE WHEN closed THEN day - interval '1 hour' END",
}
_ASSIGNMENT = {
    "id": "DEFAULT",
    "request_id": "n",
    "user_id": "CASE WHEN n %% %(by_name_every)s = 0 THEN %(ada)s::bigint END",
    "group_id": "CASE WHEN n %% %(by_name_every)s <> 0 THEN (%(teams)s::bigint[])[team] END",
    "open": "NOT closed",
    "queue_at": "day",
}
_DECISION = {
    "id": "DEFAULT",
    "public_id": "md5('decision' || n)::uuid",
    "request_id": "n",
    "reviewer_id": "%(ada)s::bigint",
    "decided_at": "day - interval '1 hour'",
}

#: As models.words makes them; pages.py looks whether they are the same.
_WORDS_OF_ROW = """
INSERT INTO approvals_searchtext (request_id, open, sampled, words)
SELECT n, NOT closed, n %% 256 = 0, array_to_tsvector(ARRAY[
         'release', 'order', 'no', lpad(n::text, 8, '0'), 'requester', (n %% 5000)::text,
         '0004711', 'halvard', 'brekke', '4134', '00', '4146', '50', 'eur', 'orders']
         || %(shared)s::text[]
         || CASE WHEN n %% %(by_name_every)s = 0 THEN ARRAY['ada']
                 ELSE ARRAY['team', team::text] END
         || CASE WHEN closed AND n %% %(every)s = 0 THEN ARRAY['ada'] ELSE ARRAY[]::text[] END)
"""
_ALL_WRITTEN = """
INSERT INTO approvals_tally (name, label, value)
SELECT 'search_place', label, (SELECT max(id) FROM approvals_auditevent)
  FROM unnest(ARRAY['counted', 'ceiling']) label
    ON CONFLICT (name, label) DO UPDATE SET value = excluded.value"""
_SHARED = r"""
SELECT coalesce(array_agg(word), '{}') FROM (
       SELECT concat_ws(' ', r.on_behalf_of, r.agent, s.slug, s.name, regexp_replace(
                e.arn, '^.*:function:(.*)/durable-execution/([^/]*).*$', '\1 \2')) AS said
         FROM original_approvals_approvalrequest r
         JOIN approvals_callbacksource s ON s.id = r.source_id
         LEFT JOIN approvals_execution e ON e.id = r.execution_id) its,
       regexp_split_to_table(lower(said), '[^a-z0-9]+') word WHERE word <> ''"""

#: Teams by the square of a number spread evenly: the first is asked one in fourteen, the
#: last one in four hundred. Hashes instead of random(): every run fills in the same.
_ROWS = """
  FROM (SELECT n, n > %(closed_above)s AS closed,
               1 + floor(%(team_count)s * power((hashint8(n) & 65535) / 65536.0, 2))::int AS team,
               now() + (((hashint8(n + 7919) & 1048575) / 1048576.0)
                        * CASE WHEN n > %(closed_above)s THEN -700 ELSE 18 END
                        + CASE WHEN n > %(closed_above)s THEN -1 ELSE 1 END)
                       * interval '1 day' AS day
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) rows, {original} original
"""


@dataclass(frozen=True, slots=True)
class Cast:
    """Ids: Ada, and the teams by rank of size."""

    ada: int
    teams: list[int]


class Crowd:
    """Fills the portal's tables from the one request that is in them."""

    def __init__(self, database: psycopg.Connection, *, say: Callable[[str], None]) -> None:
        self._database = database
        self._say = say
        self._cast = _make_cast(database)
        self._next = 1_000_001
        _keep_originals(database)
        (self._shared,) = database.execute(_SHARED).fetchone() or ([],)

    def add(self, *, pending: int, closed: int) -> None:
        """PENDING requests due within weeks, CLOSED ones of the last two years."""
        if not pending + closed:
            return
        closed_above = self._next + pending - 1
        with bare_tables(self._database, (*FILLED, WORDS)):
            for first in range(self._next, closed_above + closed + 1, BATCH):
                last = min(first + BATCH - 1, closed_above + closed)
                self._write(first, last, closed_above)
                self._say(f"generated: {last - self._next + 1:,} of {pending + closed:,}")
            self._say("generated: building indexes")
        self._next = closed_above + closed + 1
        self._database.execute(_ALL_WRITTEN)
        for table in (*FILLED, WORDS):
            self._database.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
        self._database.execute("CHECKPOINT")

    def _write(self, first: int, last: int, closed_above: int) -> None:
        values = {
            "first": first,
            "last": last,
            "closed_above": closed_above,
            "payload": _PAYLOAD,
            "by_name_every": BY_NAME_EVERY,
            "ada": self._cast.ada,
            "teams": self._cast.teams,
            "team_count": TEAMS,
            "every": DECIDED_EVERY,
            "shared": self._shared,
        }
        for table, columns, where in (
            (REQUESTS, REQUEST, ""),
            (ASSIGNMENTS, _ASSIGNMENT, ""),
            (DECISIONS, _DECISION, " WHERE closed AND n %% %(every)s = 0"),
        ):
            self._database.execute(copies(self._database, table, columns, _ROWS + where), values)
        rows = sql.SQL(_ROWS).format(original=sql.SQL("(SELECT)"))
        self._database.execute(sql.SQL(_WORDS_OF_ROW) + rows, values)


def copies(
    database: psycopg.Connection, table: str, columns: dict[str, str], rows: LiteralString
) -> sql.Composed:
    """INSERT ... SELECT of copies of TABLE's row original_TABLE; COLUMNS differ, as ROWS say."""
    names = [
        name
        for (name,) in database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        if columns.get(name) != "DEFAULT"
    ]
    texts = [
        sql.SQL(columns[name]) if name in columns else sql.SQL("original.") + sql.Identifier(name)
        for name in names
    ]
    return sql.SQL("INSERT INTO {} ({}) SELECT {} {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(texts),
        sql.SQL(rows).format(original=sql.Identifier(f"original_{table}")),
    )


def _keep_originals(database: psycopg.Connection) -> None:
    for table in FILLED:
        database.execute(
            sql.SQL("CREATE TEMP TABLE {} AS SELECT * FROM {} ORDER BY id DESC LIMIT 1").format(
                sql.Identifier(f"original_{table}"), sql.Identifier(table)
            )
        )


def _make_cast(database: psycopg.Connection) -> Cast:
    """TEAMS teams; Ada joins HER_TEAMS and leaves her former ones, but for her role."""
    row = database.execute("SELECT id FROM approvals_user WHERE username = 'ada'").fetchone()
    if row is None:
        raise BenchError("Nobody is called ada: bench/prepare.py makes her.")
    database.execute(
        "INSERT INTO auth_group (name) SELECT 'team-' || n FROM generate_series(1, %s) n", [TEAMS]
    )
    teams = [
        pk
        for (pk,) in database.execute(
            "SELECT id FROM auth_group WHERE name LIKE 'team-%%' ORDER BY substr(name, 6)::int"
        )
    ]
    database.execute(
        "DELETE FROM approvals_user_groups WHERE user_id = %s AND group_id IN"
        " (SELECT id FROM auth_group WHERE name = 'order-desk')",
        [row[0]],
    )
    database.execute(
        "INSERT INTO approvals_user_groups (user_id, group_id) SELECT %s, unnest(%s::bigint[])",
        [row[0], [teams[rank - 1] for rank in HER_TEAMS]],
    )
    return Cast(ada=row[0], teams=teams)


@contextmanager
def bare_tables(database: psycopg.Connection, tables: Sequence[str]) -> Iterator[None]:
    """Without indexes but the primary keys, triggers and foreign keys; built again after."""
    database.execute("SET session_replication_role = replica")
    database.execute("SET maintenance_work_mem = '512MB'")
    database.execute("SET synchronous_commit = off")
    again = [statement for table in tables for statement in _drop_indexes(database, table)]
    yield
    for statement in again:
        database.execute(statement)
    for name in ("session_replication_role", "maintenance_work_mem", "synchronous_commit"):
        database.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))


def _drop_indexes(database: psycopg.Connection, table: str) -> list[sql.Composed]:
    """Drop them; the statements that build them again."""
    found = database.execute(
        """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
               c.conname, pg_get_constraintdef(c.oid)
          FROM pg_index i
          LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
         WHERE i.indrelid = %s::regclass AND NOT i.indisprimary
        """,
        [table],
    ).fetchall()
    again = []
    for index, definition, constraint, rule in found:
        if constraint is None:
            database.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(index)))
            again.append(sql.SQL("{}").format(sql.SQL(definition)))
            continue
        named = (sql.Identifier(table), sql.Identifier(constraint))
        database.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(*named))
        again.append(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(*named, sql.SQL(rule)))
    return again
