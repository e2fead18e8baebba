"""Sending what is owed: leased one by one, sent on threads, settled as answers come.

At least once, never exactly once: a worker that dies between AWS's reply and `settle`
leaves the answer to be sent again, and AWS then replies CLOSED.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta

from approvals.callbacks import circuit, outbox, replies
from approvals.callbacks.gateway import Address, Answer, CallbackFailure, CallbackGateway
from approvals.callbacks.lanes import BUDGET, Lanes, Shift, run
from approvals.clock import database_now
from approvals.keyring import SealBroken
from approvals.models import CallbackDelivery
from approvals.states import CallbackVerb


def deliver_due(
    gateway: CallbackGateway, *, budget: timedelta = BUDGET, threads: int = 8
) -> Counter[str]:
    """Send the answers that are due until none is, or BUDGET is spent.

    Returns how many attempts led to which delivery state; "overtaken" counts those that
    took longer than their lease.
    """
    tally: Counter[str] = Counter()

    def claim(_: int, crowded: Collection[int]) -> Sequence[CallbackDelivery]:
        claimed = outbox.claim_next(now=database_now(), crowded=crowded)
        return [claimed] if claimed else []

    def settle(landed: Sequence[tuple[CallbackDelivery, Answer]]) -> None:
        for claimed, answer in landed:
            now = database_now()
            state = outbox.settle(claimed, answer, now=now)
            circuit.heard(claimed.source_id, answer, now=now)
            tally[str(state or "overtaken")] += 1

    lanes: Lanes[CallbackDelivery, Answer] = Lanes(
        lambda owed: send(gateway, owed), threads=threads, per_source=outbox.IN_FLIGHT_PER_SOURCE
    )
    run(lanes, Shift(budget, room=threads), claim=claim, settle=settle)
    return tally


def send(gateway: CallbackGateway, owed: CallbackDelivery) -> Answer:
    """Say what is OWED to AWS. Needs no database: OWED has its request and source."""
    try:
        address, callback_id = Address.of(owed.source), owed.request.callback_id
        if owed.verb == CallbackVerb.SUCCEED:
            return gateway.succeed(address, callback_id, owed.body)
        return gateway.fail(address, callback_id, failure(owed.body))
    except SealBroken:
        return replies.sealed_elsewhere()
    except Exception as error:  # noqa: BLE001 - a gateway that raises must not stop the others
        return replies.unknown(type(error).__name__, "The portal failed while sending.")


def failure(body: bytes) -> CallbackFailure:
    """The error a function will see, from the bytes owed."""
    error = json.loads(body)
    return CallbackFailure(error["ErrorType"], error["ErrorMessage"], error["ErrorData"])
