"""Requests become searchable after the fact, each of them, whoever writes meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    SearchText,
    Tally,
    User,
    indexing,
)
from approvals.models.filter import Filter
from approvals.models.queue import Walk, pending_page
from approvals.models.search import LINES
from approvals.states import AuditTag, Withdrawal
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_request, make_source, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]


@pytest.fixture(autouse=True)
def lines_are_counted_from_one(transactional_db: None) -> None:
    """Whatever tests wrote before: a trail that begins far behind leaps (trail.follow)."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE approvals_auditevent_id_seq RESTART")


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def found(user: User, q: str) -> list[str]:
    return [row.title for row in page(user, q).rows]


def page(user: User, q: str):
    return pending_page(Walk.needing(user).narrowed(Filter(q=q)))


def forget(user: User) -> None:
    """As before the release that made requests searchable: written down nowhere."""
    SearchText.objects.all().delete()
    Tally.objects.filter(name__startswith="search_").delete()


def test_what_no_sweep_has_seen_yet_is_found(anna: User) -> None:
    make_request(anna, title="Old berta")
    indexing.index_requests()
    make_request(anna, title="New berta")
    assert SearchText.objects.count() == 1
    assert found(anna, "berta") == ["Old berta", "New berta"]


def test_more_than_can_be_looked_at_unwritten_are_said_to_be_missing(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_request(anna, title="First berta")
    assert not page(anna, "berta").youngest_missing
    for _ in range(LINES):
        make_request(anna, title="Another")
    late = page(anna, "berta")
    assert (late.rows, late.youngest_missing) == ([], True)
    while indexing.index_requests():
        pass
    in_time = page(anna, "berta")
    assert ([row.title for row in in_time.rows], in_time.youngest_missing) == (
        ["First berta"],
        False,
    )


def test_a_request_committed_after_a_later_one_is_written_down_all_the_same(anna: User) -> None:
    slow = make_request(anna, title="Slow berta")
    SearchText.objects.all().delete()

    def others() -> None:
        try:
            make_request(anna, title="Quick berta")
            for _ in range(3):
                indexing.index_requests()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        # A line of history with a lower key, not committed before the sweeps came by.
        row = desk.lock(slow.pk)
        AuditEvent.objects.record(AuditTag.REASSIGNED, row, at=database_now())
        pool.submit(others).result(20)
    indexing.index_requests()
    assert SearchText.objects.count() == 2


def test_what_was_there_before_is_written_from_the_youngest_down(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [make_request(anna, title=f"Berta {number}") for number in range(7)]
    forget(anna)
    monkeypatch.setattr(indexing, "BATCH", 3)
    monkeypatch.setattr("approvals.models.search.LINES", 0)
    for _ in range(2):  # all there was is passed by first
        indexing.index_requests()
    written = SearchText.objects.values_list("pk", flat=True)
    assert sorted(written) == [row.pk for row in rows[4:]]
    make_request(anna, title="Berta since")
    assert page(anna, "berta").oldest_missing
    for _ in range(6):
        indexing.index_requests()
    assert not page(anna, "berta").oldest_missing
    assert len(found(anna, "berta")) == 8


def test_large_requests_are_written_down_in_smaller_batches(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as each of them takes, all at once would take longer than a statement may."""
    rows = [make_request(anna, title=f"Berta {number}") for number in range(30)]
    forget(anna)
    monkeypatch.setattr(indexing, "BATCH", 40)
    words = "approvals_words_of(r.id)"
    slow = f"CASE WHEN pg_sleep(0.05) IS NOT NULL AND r.id > 0 THEN {words} END"
    for name in ("_TOLD_OF", "_OLD"):
        monkeypatch.setattr(indexing, name, getattr(indexing, name).replace(words, slow))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '500ms'")
    try:
        while indexing.index_requests():
            pass
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    assert SearchText.objects.count() == len(rows)
    assert len(found(anna, "berta")) == len(rows)


def test_two_who_write_at_once_leave_nothing_out(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(12):
        make_request(anna)
    forget(anna)
    monkeypatch.setattr(indexing, "BATCH", 3)

    def index(_: int) -> None:
        try:
            for _ in range(12):
                indexing.index_requests()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        sweeps = [pool.submit(index, number) for number in range(2)]
        for _ in range(6):
            make_request(anna)
        for sweep in sweeps:
            sweep.result(30)
    while indexing.index_requests():
        pass
    assert SearchText.objects.count() == ApprovalRequest.objects.count() == 18


def test_who_decided_is_found_and_what_was_closed_leaves_the_open_half(anna: User) -> None:
    row = make_request(anna, title="Berta", source=make_source("shop"))
    indexing.index_requests()
    assert SearchText.objects.get().open
    lifecycle.withdraw(row.pk, why=Withdrawal.SOURCE, reason="over")
    assert found(anna, "berta") == []  # before the sweep knows
    indexing.index_requests()
    assert not SearchText.objects.get().open


def test_nothing_new_writes_nothing(anna: User) -> None:
    make_request(anna)
    indexing.index_requests()
    assert indexing.index_requests() == 0
