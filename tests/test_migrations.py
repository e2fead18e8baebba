"""Migrations on a live table can be broken off and run again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState
from django.db.models import NOT_PROVIDED, Field

from approvals.models import ApprovalRequest
from tests.callbacks.conftest import until_somebody_waits
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

#: The last migration of the release that may still run while this one is rolled out.
RELEASE_BEFORE = "0011_people_by_lower_names"
#: What a column of the database does not depend on.
_WORDS = {"choices", "help_text", "verbose_name", "db_index", "related_name", "default"}


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


def test_constraints_are_exchanged_there_and_back_and_what_was_broken_off_runs_again() -> None:
    step = import_module("approvals.migrations.0021_constraints_in_fewer_words")
    operations = step.Migration.operations
    exchanges = [each.database_operations for each in operations if not hasattr(each, "sql")]
    assert len(exchanges) == 3
    with connection.cursor() as cursor:
        for exchange, look in exchanges:
            back = [look.reverse_sql, exchange.reverse_sql]
            for words in [*back, exchange.sql, exchange.sql, look.sql]:
                cursor.execute(words)
        cursor.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated")
        assert cursor.fetchall() == []


def test_one_decision_of_each_stands_after_a_build_that_was_broken_off() -> None:
    step = import_module("approvals.migrations.0017_one_decision_stands")
    with connection.cursor() as cursor:
        cursor.execute(step.DETACH)
        cursor.execute("CREATE INDEX one_decision_stands ON approvals_decision (request_id)")
        try:
            for words in [*step.BUILD, step.ATTACH]:
                cursor.execute(words)
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE conname = 'one_decision_per_reviewer' AND convalidated"
            )
            assert cursor.fetchone() == (
                "UNIQUE NULLS NOT DISTINCT (request_id, reviewer_id, retracted_at)",
            )
        finally:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")


def test_old_requests_get_their_clock_while_somebody_holds_one_and_none_is_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = import_module("approvals.migrations.0013_the_next_clock")
    monkeypatch.setattr(step, "BATCH", 2)
    person = make_user()
    held, *others = (make_request(person, timeout_seconds=600) for _ in range(6))
    make_request(person)  # no deadline, no clock
    rows = ApprovalRequest.objects.filter(clock_at=None).exclude(answer_by=None)
    ApprovalRequest.objects.update(clock_at=None)

    def fill() -> None:
        try:
            with connection.schema_editor(atomic=False) as editor:
                step.fill(None, editor)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ApprovalRequest.objects.select_for_update(no_key=True).get(pk=held.pk)
            filling = pool.submit(fill)
            until_somebody_waits()
            assert list(rows) == [held]
            # Nobody else's row is held while it waits for that one.
            free = ApprovalRequest.objects.select_for_update(skip_locked=True)
            assert free.filter(pk__in=[row.pk for row in others]).count() == len(others)
        filling.result(10)

    clocks = ApprovalRequest.objects.values_list("clock_at", "answer_by")
    assert all(clock_at == answer_by for clock_at, answer_by in clocks)


def test_the_release_before_finds_all_that_it_reads_and_may_leave_out_all_that_is_new() -> None:
    loader = MigrationLoader(None)
    before = loader.project_state([("approvals", RELEASE_BEFORE)]).models
    after = loader.project_state().models
    tables = [key for key in before if key[0] == "approvals"]

    assert tables
    for key in tables:
        old, new = before[key].fields, after[key].fields
        assert {name: _column(field) for name, field in old.items()} == {
            name: _column(new[name]) for name in old
        }, key
        needed = [name for name in set(new) - set(old) if not _may_be_left_out(new[name])]
        assert not needed, (key, needed)
        assert _constraints(after[key]) <= _constraints(before[key]), key


def _column(field: Field) -> str:
    _, path, args, options = field.deconstruct()
    lasting = {name: value for name, value in options.items() if name not in _WORDS}
    return f"{path} {args} {lasting}"


def _may_be_left_out(field: Field) -> bool:
    return bool(field.null or field.many_to_many) or field.db_default is not NOT_PROVIDED


def _constraints(model: ModelState) -> set[str]:
    return {constraint.name for constraint in model.options.get("constraints", ())}
