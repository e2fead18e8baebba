"""Following history while other tests write into other databases of the same server.

The product waits for every transaction of the server, as numbers are the server's: exact,
and a little late. A test that follows wants only its own database waited for.
"""

from __future__ import annotations

import pytest

from approvals.models import trail

OPEN_HERE = """
SELECT coalesce(min(held.transactionid::text::bigint), max(seen.next)), max(seen.next)
  FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) seen
  LEFT JOIN (pg_locks held JOIN pg_stat_activity who
                 ON who.pid = held.pid AND who.datname = current_database())
         ON held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock'"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only transactions of this test's database hold the trails up."""
    monkeypatch.setattr(trail, "_OPEN", OPEN_HERE)
