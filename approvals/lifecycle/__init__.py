"""The desk: the only writer of where a request stands. One verb, one transaction.

Lock first, check second, write third, ring last. No network, mail or broker between
BEGIN and COMMIT.
"""

from approvals.lifecycle.claim import claim, release
from approvals.lifecycle.decide import Decided, decide
from approvals.lifecycle.expire import expire, expire_due
from approvals.lifecycle.new_request import NewRequest
from approvals.lifecycle.receive import Received, receive
from approvals.lifecycle.redrive import redrive
from approvals.lifecycle.withdraw import withdraw

__all__ = [
    "Decided",
    "NewRequest",
    "Received",
    "claim",
    "decide",
    "expire",
    "expire_due",
    "receive",
    "redrive",
    "release",
    "withdraw",
]
