"""The ledger: is every callback ID that came in where it must be, and is that provable?

Questions only; nothing here moves a request. What is answered: nothing was lost (each
request, decision and answer is there), nothing was doubled, nothing was changed past the
portal. `manage.py check_ledger` asks all of it of one snapshot of the database;
`check_audit` asks the part about histories.
"""

from approvals.ledger.checks import CHECKS, check_all
from approvals.ledger.scope import Scope, snapshot
from approvals.ledger.sealing import seal_due
from approvals.ledger.sums import Sums, count
from approvals.ledger.violation import Check, Violation

__all__ = [
    "CHECKS",
    "Check",
    "Scope",
    "Sums",
    "Violation",
    "check_all",
    "count",
    "seal_due",
    "snapshot",
]
