"""A scrape asks indexes of what is open: what is closed costs it nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import tasks
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, counting
from approvals.operations.metrics.page import PARTS
from tests.callbacks.conftest import decided
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_request, make_user
from tests.fakes.gateway import ScriptedGateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]

CLOSED = 20_000
#: Tables that grow for ever.
HISTORIES = (ApprovalRequest, CallbackDelivery, AuditEvent)


def many(model: type, row_id: int, **columns: str) -> None:
    """CLOSED copies of a row, as if so many had gone the same way; COLUMNS differ, in SQL by n."""
    names = [field.column for field in model._meta.concrete_fields]
    values = [columns.get(name, f'"{name}"') for name in names]
    table, listed = model._meta.db_table, ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({listed}) SELECT {', '.join(values)} FROM {table}, "
            f"generate_series(1, {CLOSED}) n WHERE {table}.id = {row_id}"
        )
        cursor.execute("SET session_replication_role = origin")


@pytest.fixture
def much_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gateway = ScriptedGateway()
    monkeypatch.setattr(tasks, "gateway", lambda: gateway)
    done = decided()
    tasks.deliver_callbacks()
    make_request(make_user(), heartbeat_timeout_seconds=30, timeout_seconds=600)
    decided()
    counting.count_events()
    first = 10**9
    many(
        ApprovalRequest,
        done.pk,
        id=f"{first} + n",
        public_id="gen_random_uuid()",
        callback_sha256="lpad(n::text, 64, '0')",
    )
    many(CallbackDelivery, done.delivery.pk, id=f"{first} + n", request_id=f"{first} + n")
    many(AuditEvent, done.history.latest("pk").pk, id=f"-{CLOSED} + n - 1", seq="n + 1000")
    look_at_sizes()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model in HISTORIES:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        cursor.execute("SET session_replication_role = origin")
    look_at_sizes()  # what comes next plans for few rows again


def look_at_sizes() -> None:
    with connection.cursor() as cursor:
        for model in HISTORIES:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


@pytest.mark.usefixtures("much_closed")
def test_no_part_of_a_scrape_reads_what_is_closed():
    for name, part in PARTS.items():
        with CaptureQueriesContext(connection) as asked:
            list(part())
        for query in asked.captured_queries:
            plan = plan_of(query["sql"])
            for model in HISTORIES:
                assert f"Seq Scan on {model._meta.db_table}" not in plan, (name, plan)


@pytest.mark.usefixtures("much_closed")
def test_counting_what_came_reads_no_line_that_is_counted():
    request = make_request(make_user())
    with CaptureQueriesContext(connection) as asked:
        assert counting.count_events() > 0
    [counted] = [query["sql"] for query in asked.captured_queries if "WITH line" in query["sql"]]
    plan = plan_of(counted)
    assert "Seq Scan on approvals_auditevent" not in plan, plan
    assert request.is_pending


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql)
        return "\n".join(row[0] for row in cursor.fetchall())
