"""Migrations on a live table can be broken off and run again."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_build_of_an_index_that_was_broken_off_can_be_run_again() -> None:
    step = import_module("approvals.migrations.0006_assignments_are_asked_once")
    with connection.cursor() as cursor:
        cursor.execute(step.DETACH)
        cursor.execute("CREATE INDEX assigned_once ON approvals_assignment (request_id)")
        try:
            for words in [*step.BUILD, step.ATTACH]:
                cursor.execute(words)
            cursor.execute(
                "SELECT contype FROM pg_constraint WHERE conname = 'assigned_once' AND convalidated"
            )
            assert cursor.fetchone() == ("u",)
        finally:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")
