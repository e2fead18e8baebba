"""Sending what is owed: leased one by one, sent on threads, settled as answers come.

At least once, never exactly once: a worker that dies between AWS's reply and `settle`
leaves the answer to be sent again, and AWS then replies CLOSED.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from django.db import Error
from django.utils.translation import gettext_noop

from approvals import turns
from approvals.callbacks import circuit, outbox, replies
from approvals.callbacks.gateway import Address, Answer, CallbackFailure, CallbackGateway
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, mend_connection, run
from approvals.keyring import SealBroken
from approvals.models import CallbackDelivery
from approvals.states import CallbackVerb

log = structlog.get_logger(__name__)


def deliver_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 8
) -> Counter[str]:
    """Send the answers that are due until none is, or BUDGET is spent.

    Returns how many attempts led to which delivery state ("overtaken": they took longer
    than their lease; "unsent": they came too late to be made), and how often AWS gave which
    reply. Nothing is done if two workers are at it: they look for more until none is due.
    """
    outgoing = Outgoing(gateway, threads=threads)
    with turns.turn(turns.DELIVER) as mine:
        if mine:
            run(
                outgoing.lanes,
                Shift(budget, room=threads),
                claim=outgoing.claim,
                settle=outgoing.settle,
                give_back=outbox.give_back,
            )
    return outgoing.tally


class Outgoing:
    """What one worker has under way: claimed one by one, sent by its lanes, settled."""

    def __init__(self, gateway: CallbackGateway, *, threads: int) -> None:
        self._threads = threads
        self.tally: Counter[str] = Counter()
        self.lanes: Lanes[CallbackDelivery, Answer | None] = Lanes(
            lambda owed: send(gateway, owed),
            threads=threads,
            per_source=outbox.IN_FLIGHT_PER_SOURCE,
        )

    def claim(self, _: int, crowded: Collection[int]) -> Sequence[CallbackDelivery]:
        claimed = outbox.claim_next(crowded=crowded)
        return [claimed] if claimed else []

    @property
    def has_room(self) -> bool:
        """Whether a thread is free: what is claimed without one waits, and nobody else has it."""
        return self.lanes.load < self._threads

    def claim_one(self) -> bool:
        """Send what has been due longest, if there is a thread for it; whether it was sent."""
        claimed = self.claim(1, self.lanes.crowded) if self.has_room else ()
        self.lanes.put(claimed)
        return bool(claimed)

    def claim_all(self) -> bool:
        """Send what is due while there are threads for it; whether there may be more."""
        while self.has_room:
            if not self.claim_one():
                return False
        return True

    def settle(self, landed: Sequence[tuple[CallbackDelivery, Answer | None]]) -> None:
        """Settle each by itself: one that PostgreSQL does not take down is tried again.

        Settling is fenced, so once too often does no harm.
        """
        for claimed, answer in landed:
            try:
                self._settle_one(claimed, answer)
            except Error as error:
                mend_connection(error)
                self.lanes.try_again([(claimed, answer)])

    def _settle_one(self, claimed: CallbackDelivery, answer: Answer | None) -> None:
        if answer is None:
            outbox.give_back([claimed])
            log.warning("answer_unsent", public_id=str(claimed.request.public_id))
            self.tally["unsent"] += 1
            return
        state = outbox.settle(claimed, answer)
        self._count(claimed, answer, str(state or "overtaken"))
        try:
            circuit.heard(claimed.source_id, answer)
        except Error as error:  # the next answer tells it again
            mend_connection(error)

    def _count(self, claimed: CallbackDelivery, answer: Answer, state: str) -> None:
        self.tally.update([state, str(answer.reply)])
        log.info(
            "answer_settled",
            public_id=str(claimed.request.public_id),
            attempt=claimed.attempts,
            reply=str(answer.reply),
            state=state,
            milliseconds=answer.http_ms,
        )


def send(gateway: CallbackGateway, owed: CallbackDelivery) -> Answer | None:
    """Say what is OWED to AWS. Needs no database: OWED has its request and source.

    None, and nothing is said, if this comes so late (`send_by`) that the lease might end
    before the call: a worker that was frozen wakes up with old news.
    """
    try:
        address, callback_id = Address.of(owed.source), owed.request.callback_id
        gateway.prepare(address)
        if time.monotonic() > owed.send_by:
            return None
        if owed.verb == CallbackVerb.SUCCEED:
            return gateway.succeed(address, callback_id, owed.body)
        return gateway.fail(address, callback_id, failure(owed.body))
    except SealBroken:
        return replies.sealed_elsewhere()
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        return replies.unknown(
            type(error).__name__, gettext_noop("The portal failed while sending.")
        )


def failure(body: bytes) -> CallbackFailure:
    """The error a function will see, from the bytes owed."""
    error = json.loads(body)
    return CallbackFailure(error["ErrorType"], error["ErrorMessage"], error["ErrorData"])
