"""A whole house, its histories sealed, and the ledger asked about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from approvals import doorbell
from approvals.clock import database_now
from approvals.ledger import Scope, Violation, check_all, count, seal_due, snapshot
from approvals.models import SweepMark
from tests.ledger.house import House, build

Ask = Callable[[], list[Violation]]


@pytest.fixture
def house(transactional_db: None) -> House:
    """Built, and sealed by two sweeps; the second came by an hour later."""
    house = build()
    later = database_now() + timedelta(hours=1)
    assert seal_due(now=database_now())
    house.open("newest")
    assert seal_due(now=later)
    SweepMark.objects.finished(doorbell.SEAL_HISTORY, at=later, found=1)
    return house


@pytest.fixture
def ask() -> Ask:
    def asked() -> list[Violation]:
        with snapshot():
            return [*count().violations(), *check_all(Scope())]

    return asked
