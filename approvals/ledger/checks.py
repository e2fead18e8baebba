"""All questions of the ledger, in the order they are asked: the cheap ones first."""

from __future__ import annotations

from collections.abc import Iterator

from approvals.ledger import (
    answers,
    chains,
    checkpoints,
    comments,
    decisions,
    holds,
    requests,
    seals,
    waiting,
)
from approvals.ledger.scope import Scope
from approvals.ledger.violation import Check, Violation

_ROWS = (requests, decisions, holds, comments, answers, waiting)
#: Whether history can be believed at all.
_HISTORY = (chains, checkpoints)

#: The questions of `check_audit`.
HISTORY = tuple(each for room in _HISTORY for each in vars(room).values() if type(each) is Check)
#: The questions of `check_ledger`.
CHECKS = (
    *(each for room in _ROWS for each in vars(room).values() if type(each) is Check),
    *HISTORY,
    *(each for each in vars(seals).values() if type(each) is Check),
)


def check_all(scope: Scope) -> Iterator[Violation]:
    """What is not as it must be within SCOPE; call it inside `snapshot`."""
    for each in CHECKS:
        yield from each.run(scope)
