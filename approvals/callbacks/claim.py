"""Claiming an answer owed to AWS: the attempt is on record, and leased, before it is sent.

Together with `outbox` this is the one place that moves deliveries.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings

from approvals.callbacks import circuit, pace
from approvals.lifecycle.writing import refuse_outer_transaction
from approvals.models import ApprovalRequest, CallbackDelivery, CallbackSource
from approvals.models.sql import Prepared, partial
from approvals.states import DeliveryState

#: Attempts of one source under way at once, over all workers: a source that hangs
#: holds up its own answers and nobody else's.
IN_FLIGHT_PER_SOURCE = 4

_SENT = ("id", "request_id", "source_id", "verb", "sealed_body", "owed_at", "give_up_at",
         "attempts", "unknown_attempt")  # fmt: skip
_ADDRESS = ("id", "slug", "region", "endpoint_url", "role_arn", "external_id")
_CALLBACK = ("id", "public_id", "callback_sha256", "callback_sealed")

# One statement: what is due, its row locked against other workers; the probe of a source
# that is cut off; the attempt written down, with its lease (one before that nobody settled
# ended unknown); and what sending takes. It is a transaction of its own.
_CLAIM = Prepared(f"""
    WITH clock AS (SELECT coalesce(%(now)s::timestamptz, statement_timestamp()) AS now),
    full_sources AS (
        SELECT source_id FROM approvals_callbackdelivery, clock
         WHERE in_flight AND next_attempt_at > clock.now
         GROUP BY source_id HAVING count(*) >= {IN_FLIGHT_PER_SOURCE}
    ), due AS (
        SELECT d.id, d.source_id, c.failures > 0 AS troubled,
               c.probe_at IS NOT NULL AND d.give_up_at > clock.now + %(last_chance)s::interval
                   AS cut_off
          FROM clock, approvals_callbackdelivery d
          LEFT JOIN approvals_circuit c ON c.source_id = d.source_id
         WHERE d.state = '{DeliveryState.PENDING}'
           AND d.next_attempt_at <= coalesce(%(now)s::timestamptz, statement_timestamp())
           AND d.source_id <> ALL (%(crowded)s::bigint[])
           AND d.source_id NOT IN (SELECT source_id FROM full_sources)
           AND (c.probe_at IS NULL OR c.probe_at <= clock.now
                OR d.give_up_at <= clock.now + %(last_chance)s::interval)
         ORDER BY d.next_attempt_at LIMIT 1
           FOR NO KEY UPDATE OF d SKIP LOCKED
    ), probe AS (
        UPDATE approvals_circuit c
           SET probe_at = clock.now + %(probe_pause)s::interval, probes = c.probes + 1
          FROM clock, due
         WHERE due.cut_off AND c.source_id = due.source_id AND c.probe_at <= clock.now
        RETURNING c.source_id
    ), leased AS (
        UPDATE approvals_callbackdelivery d
           SET unknown_attempt = d.unknown_attempt OR d.in_flight,
               in_flight = TRUE,
               attempts = d.attempts + 1,
               last_attempt_at = clock.now,
               next_attempt_at = clock.now + %(lease)s::interval
          FROM clock, due
         WHERE d.id = due.id AND (NOT due.cut_off OR EXISTS (SELECT FROM probe))
        RETURNING d.*
    )
    SELECT due.source_id, due.troubled,
           {", ".join(f"d.{name}" for name in _SENT)},
           {", ".join(f"s.{name}" for name in _ADDRESS)},
           {", ".join(f"r.{name}" for name in _CALLBACK)}
      FROM due
      JOIN approvals_callbacksource s ON s.id = due.source_id
      LEFT JOIN leased d ON TRUE
      LEFT JOIN approvals_approvalrequest r ON r.id = d.request_id
""")  # noqa: S608  # nosec B608


def claim_next(
    *, now: datetime | None = None, crowded: Collection[int] = ()
) -> CallbackDelivery | None:
    """Lease the delivery that has been due longest at NOW (the database's clock), or None.

    A row that another worker holds is skipped, not waited for, and so are sources that
    are CROWDED, have IN_FLIGHT_PER_SOURCE attempts under way, or are cut off: of those,
    but for a probe, only what expires before another probe could help is sent. The lease
    lasts DELIVERY_LEASE and ends by itself: whoever dies gives the row back. The call must
    begin in its first half, which leaves it the other. Request and source come with the row,
    as far as sending it takes.
    """
    refuse_outer_transaction()
    passed_over = list(crowded)
    while True:
        send_by = time.monotonic() + settings.DELIVERY_LEASE.total_seconds() / 2
        row = _CLAIM.row(
            now=now,
            lease=settings.DELIVERY_LEASE,
            probe_pause=pace.jittered(circuit.PROBE_PAUSE),
            last_chance=circuit.PROBE_PAUSE,
            crowded=passed_over,
        )
        if row is None:
            return None
        source_id, troubled, *columns = row
        if troubled:
            circuit.remember(source_id)
        if columns[0] is not None:
            delivery = _with_its_own(columns)
            delivery.send_by = send_by
            return delivery
        passed_over.append(source_id)  # another worker was quicker with the probe


def _with_its_own(columns: list[Any]) -> CallbackDelivery:
    """The delivery with its source and request, out of the COLUMNS of one row."""
    sent, rest = columns[: len(_SENT)], columns[len(_SENT) :]
    delivery = partial(CallbackDelivery, dict(zip(_SENT, sent, strict=True)))
    address, callback = rest[: len(_ADDRESS)], rest[len(_ADDRESS) :]
    delivery.source = partial(CallbackSource, dict(zip(_ADDRESS, address, strict=True)))
    delivery.request = partial(ApprovalRequest, dict(zip(_CALLBACK, callback, strict=True)))
    return delivery
