"""A kept connection that died is noticed; one that lives is not asked each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from approvals.models.sql import Prepared
from portal.postgresql.base import TRUSTED_FOR, DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)

ONE = "SELECT 1"


@pytest.fixture
def kept() -> Iterator[DatabaseWrapper]:
    """A connection of its own, as a server's thread keeps it between requests."""
    own = DatabaseWrapper({**connections["default"].settings_dict, "CONN_MAX_AGE": 60})
    own.inc_thread_sharing()
    serve(own)
    serve(own)  # the first check is always a question
    yield own
    own.close()


def serve(connection: DatabaseWrapper) -> int:
    """One request with one statement; how many statements its health check added."""
    asked: list[str] = []
    is_usable = connection.is_usable

    def watched() -> bool:
        asked.append(ONE)
        return is_usable()

    connection.is_usable = watched  # type: ignore[method-assign]
    try:
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute(ONE)
    finally:
        connection.is_usable = is_usable  # type: ignore[method-assign]
    return len(asked)


def _end(connection: DatabaseWrapper) -> None:
    """As an administrator does, or a server that restarts."""
    raw: Any = connection.connection
    with psycopg.connect(raw.info.dsn, password=raw.info.password, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])


def test_a_connection_in_use_is_not_asked_whether_it_lives(kept: DatabaseWrapper) -> None:
    assert [serve(kept) for _ in range(3)] == [0, 0, 0]


def test_a_connection_the_server_ended_is_made_anew(kept: DatabaseWrapper) -> None:
    before: Any = kept.connection
    _end(kept)

    assert serve(kept) == 1
    assert kept.connection is not before


def test_a_connection_that_rested_is_asked(kept: DatabaseWrapper) -> None:
    kept._seen_alive -= TRUSTED_FOR

    assert serve(kept) == 1


def test_a_connection_that_met_an_error_is_asked(kept: DatabaseWrapper) -> None:
    kept.errors_occurred = True

    assert serve(kept) == 1


def test_plans_are_kept_by_the_connection_and_only_for_who_asks() -> None:
    connection: Any = connections["default"]
    asked = Prepared("SELECT %(n)s::int + 4711")

    with CaptureQueriesContext(connection) as captured:
        assert [asked.row(n=n) for n in range(3)] == [(4711,), (4712,), (4713,)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT 4712")
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            texts = " ".join(row[0] for row in cursor.fetchall())

    assert "$1::int + 4711" in texts
    assert "SELECT 4712" not in texts
    assert len(captured) == 5


def test_without_kept_plans_the_answers_are_the_same() -> None:
    options = {**connections["default"].settings_dict["OPTIONS"], "prepare_threshold": None}
    own = DatabaseWrapper({**settings.DATABASES["default"], "OPTIONS": options}, "default")
    own.settings_dict["NAME"] = connections["default"].settings_dict["NAME"]
    former = connections["default"]
    connections["default"] = own
    try:
        assert Prepared("SELECT %(n)s::int + 4711").row(n=1) == (4712,)
        with own.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            assert cursor.fetchone() == (0,)
    finally:
        own.close()
        connections["default"] = former
