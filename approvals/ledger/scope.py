"""What the ledger looks at: one moment of the database, all of it or what moved lately."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import connection, transaction

from approvals.models import AuditCheckpoint
from approvals.states import AuditTag

#: Rows that are fetched at a time: what the ledger holds in memory.
CHUNK = 2_000

_WHOLE = "approvals_approvalrequest"
_MOVED = """(SELECT moved.* FROM approvals_approvalrequest moved WHERE moved.id IN (
    SELECT request_id FROM approvals_auditevent WHERE id > %(after)s))"""


def _listed(*tags: AuditTag) -> str:
    return "(" + ", ".join(f"'{tag.value}'" for tag in tags) + ")"


#: What the ledger's statements may name in braces. `owes` and `verb` are of a request `r`.
WORDS = {
    "received": f"'{AuditTag.RECEIVED.value}'",
    "held": f"'{AuditTag.HELD.value}'",
    "undone": f"'{AuditTag.UNDONE.value}'",
    "commented": f"'{AuditTag.COMMENTED.value}'",
    "questioned": f"'{AuditTag.QUESTIONED.value}'",
    "answered": f"'{AuditTag.ANSWERED.value}'",
    "closing": _listed(
        AuditTag.APPROVED,
        AuditTag.REJECTED,
        AuditTag.FORCED,
        AuditTag.EXPIRED,
        AuditTag.WITHDRAWN,
    ),
    "only_while_pending": _listed(
        AuditTag.VOTED,
        AuditTag.HELD,
        AuditTag.UNDONE,
        AuditTag.CLAIMED,
        AuditTag.REASSIGNED,
        AuditTag.DUE,
        AuditTag.ESCALATED,
    ),
    "sending": _listed(
        AuditTag.DELIVERY_RETRYING,
        AuditTag.DELIVERED,
        AuditTag.UNDELIVERABLE,
        AuditTag.UNCONFIRMED,
        AuditTag.REDRIVEN,
    ),
    "owes": """(CASE r.state WHEN 'pending' THEN false
        WHEN 'expired' THEN r.on_timeout <> 'lapse'
        WHEN 'withdrawn' THEN r.withdrawal IN ('source', 'superseded', 'operator')
        ELSE true END)""",
    "verb": """(CASE WHEN r.state = 'approved'
          OR (r.state = 'expired' AND r.on_timeout = 'approve') THEN 'succeed'
        WHEN r.on_reject = 'success' AND (r.state = 'rejected'
          OR (r.state = 'expired' AND r.on_timeout = 'reject')) THEN 'succeed'
        ELSE 'fail' END)""",
}


@contextmanager
def snapshot() -> Iterator[None]:
    """One moment of the database, for as long as it takes to look at all of it.

    Read-only. The limits that keep a page from hanging do not fit a walk over every row.
    PostgreSQL removes no dead rows younger than the snapshot meanwhile.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests looked at: all, or those with a line of history AFTER that key."""

    after: int | None = None

    @classmethod
    def since(cls, moment: datetime | None) -> Self:
        """What moved since MOMENT, to the checkpoint before it; without one, everything."""
        if moment is None:
            return cls()
        before = AuditCheckpoint.objects.filter(at__lte=moment).order_by("-pk").first()
        return cls(before.last_event_id if before else None)

    def rows(self, sql: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """Each row that SQL gives, by a cursor of the server: as they come, never all."""
        text = sql.format(requests=_WHOLE if self.after is None else _MOVED, **WORDS)
        with connection.chunked_cursor() as cursor:
            cursor.execute(text, {"after": self.after, **values})
            while batch := cursor.fetchmany(CHUNK):
                yield from batch
