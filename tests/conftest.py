"""Fixtures every test may use. The engines are started by tests.plugins.engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings

_flush = DatabaseOperations.execute_sql_flush


def _flush_past_the_guards(self: DatabaseOperations, sql_list: list[str]) -> Any:
    # History and decisions refuse TRUNCATE by trigger, also to the tests. Only the flush
    # between two tests goes past it, as a replica would; all a test itself does meets them.
    past, back = (f"SET session_replication_role = {role}" for role in ("replica", "origin"))
    return _flush(self, [past, *sql_list, back])


DatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    # The real hash costs a second of a busy core, by design; tests make many people.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield
