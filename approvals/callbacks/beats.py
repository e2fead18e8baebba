"""Beats: claimed in batches, sent one by one, settled in batches.

With `missed` the only writer of heartbeat rows, which the desk creates; who ends a wait
deletes its row. What most beats need is one short statement for many; only what AWS did
not take is looked at singly, there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils.translation import gettext_noop

from approvals import keyring
from approvals.callbacks import missed, replies
from approvals.callbacks.gateway import Address, Answer, CallbackGateway
from approvals.lifecycle.writing import refuse_outer_transaction
from approvals.models.request import callback_place
from approvals.models.sql import Prepared
from approvals.states import Reply

#: Claimed so long ago, a request may have been answered since: it is asked about anew. Calls
#: that hang hold up what waits behind them, and a worker may have been frozen.
STALE_AFTER = timedelta(seconds=5)
UNSENT = Answer(Reply.UNAVAILABLE, gettext_noop("It was not sent: it had waited for too long."))
#: More are never claimed at once. PostgreSQL reads it in the text of the statement, and so
#: knows, with a million rows waiting, that it will look up few.
MOST = 512

# First how many of which source: those due longest of each, source by source in turns. Then
# the rows themselves, again along the index, past those that another worker holds. The next
# beat is up to a tenth early, never late, so that what began together spreads out.
_CLAIM = Prepared(f"""
WITH shares AS MATERIALIZED (
  SELECT source_id, count(*) AS share
    FROM (SELECT s.id AS source_id
            FROM approvals_callbacksource s
            LEFT JOIN unnest(%(sources)s::bigint[], %(quotas)s::int[]) AS q (source_id, quota)
                   ON q.source_id = s.id
           CROSS JOIN LATERAL (
                 SELECT next_beat_at, row_number() OVER (ORDER BY next_beat_at) AS place
                   FROM (SELECT next_beat_at FROM approvals_heartbeat
                          WHERE source_id = s.id AND next_beat_at <= %(now)s
                          ORDER BY next_beat_at
                          LIMIT least(coalesce(q.quota, %(others)s::int), %(number)s::int)) first
                 ) due
           ORDER BY due.place, due.next_beat_at
           LIMIT %(number)s::int) turns
   GROUP BY source_id
), due AS MATERIALIZED (
  SELECT h.request_id, h.next_beat_at
    FROM shares
   CROSS JOIN LATERAL (
         SELECT request_id, next_beat_at FROM approvals_heartbeat
          WHERE source_id = shares.source_id AND next_beat_at <= %(now)s
          ORDER BY next_beat_at
          LIMIT shares.share
            FOR NO KEY UPDATE SKIP LOCKED) h
   LIMIT {MOST}
)
UPDATE approvals_heartbeat h
   SET next_beat_at = %(now)s + h."interval" * (1 - random() / 10)
  FROM due
  JOIN approvals_approvalrequest r ON r.id = due.request_id
  JOIN approvals_callbacksource s ON s.id = r.source_id
 WHERE h.request_id = due.request_id
RETURNING h.request_id, h."interval", due.next_beat_at, r.callback_sha256, r.callback_sealed,
          s.id, s.region, s.endpoint_url, s.role_arn, s.external_id
""")  # noqa: S608  # nosec B608  a number of our own

# Rows that somebody else is at are passed over, as waiting for several at once could
# deadlock; whoever is at a row ends or moves it, so a note that is skipped is not missed.
_TAKEN = Prepared("""
WITH free AS MATERIALIZED (
  SELECT request_id FROM approvals_heartbeat
   WHERE request_id = ANY(%(requests)s::bigint[])
     FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE approvals_heartbeat h
   SET last_beat_at = %(now)s, beats = beats + 1, misses = 0, trouble = ''
  FROM free WHERE h.request_id = free.request_id
RETURNING h.request_id
""")
_GIVE_BACK = Prepared("""
WITH free AS MATERIALIZED (
  SELECT h.request_id, u.due_at
    FROM unnest(%(requests)s::bigint[], %(dues)s::timestamptz[]) AS u (request_id, due_at)
    JOIN approvals_heartbeat h ON h.request_id = u.request_id
     FOR NO KEY UPDATE OF h SKIP LOCKED
)
UPDATE approvals_heartbeat h SET next_beat_at = free.due_at
  FROM free WHERE h.request_id = free.request_id
RETURNING h.request_id
""")


@dataclass(frozen=True, slots=True)
class Beat:
    """What was claimed: only what a beat needs of its request and its source."""

    request_id: int
    source_id: int
    interval: timedelta
    due_at: datetime
    claimed_at: datetime
    callback_sha256: str
    callback_sealed: bytes
    address: Address
    _claimed: float = field(default_factory=time.monotonic)

    def age(self, now: float) -> timedelta:
        """How long ago it was claimed at NOW, of time.monotonic()."""
        return timedelta(seconds=now - self._claimed)

    def lateness(self, now: float) -> timedelta:
        """How long after it was due it is at NOW, of time.monotonic()."""
        return self.claimed_at - self.due_at + self.age(now)


@dataclass(frozen=True, slots=True)
class Told:
    """What AWS said, and how long after it was due the beat was sent; UNSENT: not at all."""

    answer: Answer
    lateness: timedelta

    @property
    def is_unsent(self) -> bool:
        return self.answer is UNSENT

    def is_late(self, interval: timedelta) -> bool:
        """Sent more than half an INTERVAL after it was due."""
        return self.lateness > interval / 2


@lru_cache(maxsize=4096)
def address(source_id: int, region: str, endpoint: str, role: str, external: str) -> Address:
    """The Address of a source, from its columns; the same object for the same words."""
    return Address(source_id, region, endpoint or None, role or None, external or None)


def send(gateway: CallbackGateway, beat: Beat) -> Told:
    """Tell AWS that BEAT's callback is still waited for. Never raises; needs no database.

    UNSENT is the answer where the beat was claimed more than STALE_AFTER ago.
    """
    now = time.monotonic()
    answer = UNSENT if beat.age(now) > STALE_AFTER else _ask(gateway, beat)
    return Told(answer, beat.lateness(now))


def _ask(gateway: CallbackGateway, beat: Beat) -> Answer:
    try:
        callback_id = keyring.unseal(
            beat.callback_sealed, place=callback_place(beat.callback_sha256)
        )
        return gateway.beat(beat.address, callback_id.decode())
    except keyring.SealBroken:
        return replies.sealed_elsewhere()
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        return replies.unknown(
            type(error).__name__, gettext_noop("The portal failed while beating.")
        )


def claim(
    number: int, *, now: datetime, quotas: Mapping[int, int] | None = None, others: int = MOST
) -> list[Beat]:
    """Take up to NUMBER beats that are due, by moving the next of each ahead.

    Of each source no more than its quota; of one without, no more than OTHERS. Sources take
    turns, so one with many due does not starve one with few. Rows that another worker
    holds are skipped. If this worker dies, each has two more chances before AWS's
    timeout: the interval is a third of it.
    """
    refuse_outer_transaction()
    quotas = quotas or {}
    found = _CLAIM.rows(
        now=now,
        number=min(number, MOST),
        others=others,
        sources=list(quotas),
        quotas=list(quotas.values()),
    )
    return [
        Beat(request_id, source_id, interval, due_at, now, sha256, sealed,
             address(source_id, *way))
        for request_id, interval, due_at, sha256, sealed, source_id, *way in found
    ]  # fmt: skip


def give_back(unsent: Sequence[Beat]) -> None:
    """What was claimed and not sent is due again since when it was, for the next sweep."""
    if unsent:
        refuse_outer_transaction()
        _GIVE_BACK.rows(
            requests=[beat.request_id for beat in unsent], dues=[beat.due_at for beat in unsent]
        )


def settle(landed: Sequence[tuple[Beat, Answer]], *, now: datetime) -> set[int]:
    """Record what AWS said to each beat; one that stopped meanwhile stays stopped.

    Returns the requests of which PostgreSQL did not take it down: somebody holds them.

    Raises:
        django.db.Error: none was taken down.
    """
    taken = [beat.request_id for beat, answer in landed if answer.reply == Reply.ACCEPTED]
    if taken:
        refuse_outer_transaction()
        _TAKEN.rows(requests=taken, now=now)
    rest = [(beat, answer) for beat, answer in landed if answer.reply != Reply.ACCEPTED]
    return {
        beat.request_id for beat, answer in rest if not missed.note(beat.request_id, answer, now)
    }
