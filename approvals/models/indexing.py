"""Making requests searchable, after the fact: receiving and deciding write nothing for it.

A sweep follows history (models.trail) and writes the words of each request of which a line
tells something new. What was there before it first came by it writes backwards from the
youngest. The words are made by the database, so no payload travels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from approvals import turns
from approvals.models.search_text import SAMPLED
from approvals.models.tally import Tally
from approvals.models.trail import Trail
from approvals.states import AuditTag

#: Lines followed, and old requests gone through, by one run at most. Requests as large as may
#: be posted take so much longer that PostgreSQL may end the statement (statement_timeout):
#: then a share of as many is tried, and a share of that.
BATCH = 2_000
_SHARES = (1, 10, 100)
#: Names of the places kept: how far the lines are followed, how far down old requests are done.
PLACE, OLD = "search_place", "search_old"

_TRAIL = Trail(PLACE, turns.SEARCH)

#: After these a request has other words, or is no longer open.
_TELLING = [
    str(tag)
    for tag in (
        AuditTag.RECEIVED, AuditTag.REASSIGNED, AuditTag.VOTED, AuditTag.HELD, AuditTag.UNDONE,
        AuditTag.APPROVED, AuditTag.REJECTED, AuditTag.FORCED, AuditTag.EXPIRED,
        AuditTag.WITHDRAWN,
    )
]  # fmt: skip

_WRITE = f"""
INSERT INTO approvals_searchtext AS kept (request_id, open, sampled, words)
SELECT r.id, r.state = 'pending', r.id %% {SAMPLED} = 0, approvals_words_of(r.id)
  FROM approvals_approvalrequest r"""  # noqa: S608  # nosec B608  our own texts
_TOLD_OF = f"""{_WRITE}
 WHERE r.id IN (SELECT e.request_id FROM approvals_auditevent e
                 WHERE e.id > %s AND e.id <= %s AND e.tag = ANY(%s))
 ORDER BY r.id
    ON CONFLICT (request_id) DO UPDATE SET open = excluded.open, words = excluded.words
 WHERE (kept.open, kept.words) IS DISTINCT FROM (excluded.open, excluded.words)"""  # noqa: S608  # nosec B608
_OLD = f"""
WITH old AS (
  SELECT id FROM approvals_approvalrequest WHERE id < %s ORDER BY id DESC LIMIT %s
), written AS ({_WRITE}
 WHERE r.id IN (SELECT id FROM old)
 ORDER BY r.id
    ON CONFLICT (request_id) DO NOTHING
)
SELECT min(id), count(*) FROM old"""  # noqa: S608  # nosec B608


class _Paced:
    """Calls WORK(batch=…) with as many as PostgreSQL does in the time a statement has.

    What it came down to is tried first the next time, until less than that is left.
    """

    def __init__(self, work: Callable[..., int]) -> None:
        self._work, self._step = work, 0

    def __call__(self) -> tuple[int, bool]:
        """How many were done, and whether there may be more."""
        for step in range(self._step, len(_SHARES)):
            batch = max(1, BATCH // _SHARES[step])
            try:
                done = self._work(batch=batch)
            except OperationalError as error:
                if not isinstance(error.__cause__, QueryCanceled) or step + 1 == len(_SHARES):
                    raise
            else:
                self._step = step if done >= batch else 0
                return done, done >= batch
        raise AssertionError  # the last share returned or raised


def index_requests() -> int:
    """Write the words of what is not searchable yet; return how many keys and requests on.

    Two at once, or one that dies, leave nothing out.
    """
    followed, more = _follow()
    return followed if more else followed + _go_back()[0]


def _write(after: int, upto: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TOLD_OF, [after, upto, _TELLING])


def _begin_old() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM approvals_approvalrequest")
        above = cursor.fetchone()[0]
    Tally.objects.bulk_create([Tally(name=OLD, value=float(above))], ignore_conflicts=True)


@transaction.atomic(durable=True)
def _write_old(batch: int) -> int:
    place = Tally.objects.select_for_update().filter(name=OLD, value__gt=0).first()
    if place is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_OLD, [int(place.value), batch])
        lowest, count = cursor.fetchone()
    place.value = float(lowest or 0) if count == batch else 0.0
    place.save(update_fields=["value"])
    return int(count)


_follow = _Paced(partial(_TRAIL.follow, _write, leap=_begin_old))
_go_back = _Paced(_write_old)
