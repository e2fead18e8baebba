"""The desk: the only writer of where a request stands. One verb, one transaction.

Lock first, check second, write third, ring last. No network, mail or broker between
BEGIN and COMMIT.
"""

from approvals.lifecycle.claim import claim, release
from approvals.lifecycle.clocks import strike, strike_due
from approvals.lifecycle.comment import Commented, answer, comment
from approvals.lifecycle.conclude import conclude, conclude_due
from approvals.lifecycle.decide import Decided, decide
from approvals.lifecycle.force import force
from approvals.lifecycle.new_request import NewRequest
from approvals.lifecycle.reassign import Asked, reassign
from approvals.lifecycle.receive import Received, receive
from approvals.lifecycle.redrive import redrive
from approvals.lifecycle.undo import undo
from approvals.lifecycle.withdraw import take_back, withdraw

__all__ = [
    "Asked",
    "Commented",
    "Decided",
    "NewRequest",
    "Received",
    "answer",
    "claim",
    "comment",
    "conclude",
    "conclude_due",
    "decide",
    "force",
    "reassign",
    "receive",
    "redrive",
    "release",
    "strike",
    "strike_due",
    "take_back",
    "undo",
    "withdraw",
]
