"""How long the ladders are climbed: a short form in `make test`, a long one by environment.

    HYPOTHESIS_PROFILE=full python -m pytest tests/ladders -rP

The short form takes the same steps each time, so that a failure belongs to a change; the
long one takes others each time and prints what repeats a failure.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from approvals.ledger import Scope, check_all, snapshot

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"


def climb(machine: type[RuleBasedStateMachine], *, walks: int, steps: int, at_length: int) -> None:
    """Run MACHINE for WALKS walks of up to STEPS steps, AT_LENGTH walks in the long form."""
    allowed: dict[str, Any] = {"suppress_health_check": list(HealthCheck), "deadline": None}
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=at_length if FULL else walks,
            stateful_step_count=steps,
            derandomize=not FULL,
            database=None,
            print_blob=True,
            **allowed,
        ),
    )


def broken_in_the_ledger() -> list[str]:
    """What `check_ledger` finds when all walks are over."""
    with snapshot():
        return [str(each) for each in check_all(Scope())]


def tell(machine: Any) -> None:
    """How far MACHINE was climbed; shown by -rP."""
    name, steps, together = machine.__name__, machine.steps, machine.together
    sys.stdout.write(f"{name}: {steps:,} steps; {together:,} times several at once\n")
