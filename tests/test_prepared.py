"""Kept plans outlive a change of a column's type by one connection at most."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import NotSupportedError, connection, transaction

from approvals.models.sql import Prepared

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def probe() -> Iterator[Prepared]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE probe (words varchar(10))")
        cursor.execute("INSERT INTO probe VALUES ('so')")
    try:
        yield Prepared("SELECT words FROM probe WHERE words <> %(other)s::text")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE probe")


def keep_a_plan(probe: Prepared) -> None:
    for _ in range(10):
        assert probe.row(other="") == ("so",)


def change_the_column() -> None:
    """From elsewhere: psycopg forgets its plans after an ALTER of its own."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("ALTER TABLE probe ALTER words TYPE text")
    finally:
        other.close()


def test_a_column_that_changed_its_type_costs_a_new_connection_and_no_error(
    probe: Prepared,
) -> None:
    keep_a_plan(probe)
    change_the_column()
    assert probe.row(other="") == ("so",)


def test_inside_a_transaction_the_error_stands_and_the_connection_ends_with_the_request(
    probe: Prepared,
) -> None:
    keep_a_plan(probe)
    change_the_column()
    with pytest.raises(NotSupportedError), transaction.atomic():
        probe.row(other="")
    connection.close_if_unusable_or_obsolete()
    assert connection.connection is None
    with transaction.atomic():
        assert probe.row(other="") == ("so",)
