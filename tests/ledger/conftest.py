"""A whole house, its histories sealed, and the ledger asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from approvals import doorbell
from approvals.clock import database_now
from approvals.ledger import Scope, Violation, check_all, count, seal_due
from approvals.models import SweepMark
from tests.ledger.house import House, build

Plant = Callable[[str], list[Violation]]


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """Built once, and sealed by two sweeps, of which the second came by an hour later."""
    with django_db_blocker.unblock(), transaction.atomic():
        # As TestCase marks its own, in which what is durable may stand.
        connection.atomic_blocks[-1]._from_testcase = True
        yield sealed(build())
        transaction.set_rollback(True)


def sealed(house: House) -> House:
    later = database_now() + timedelta(hours=1)
    assert seal_due(now=database_now())
    house.open("newest")
    assert seal_due(now=later)
    SweepMark.objects.finished(doorbell.SEAL_HISTORY, at=later, found=1)
    connection.check_constraints()  # those deferred to a commit that never comes
    return house


def objections() -> list[Violation]:
    return [*count().violations(), *check_all(Scope())]


@pytest.fixture
def plant(house: House, db: None) -> Plant:
    """Does something to the house as a superuser, past all triggers; undone after the test."""

    def planted(sql: str) -> list[Violation]:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(sql)
            cursor.execute("SET LOCAL session_replication_role = origin")
        return objections()

    return planted
