"""Checkpoints cover what is certain, once, in order, however many sweeps come by."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import IntegrityError, ProgrammingError

from approvals import lifecycle
from approvals.clock import database_now
from approvals.ledger import Scope, seal_due, sealing, snapshot
from approvals.ledger.checks import HISTORY
from approvals.models import ApprovalRequest, AuditCheckpoint, AuditEvent, User
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = timedelta(0)
_LINE = """
    INSERT INTO approvals_auditevent (request_id, seq, tag, at, actor_name, facts, mac)
    SELECT request_id, 2, 'request.released', at, '', '{}', mac
      FROM approvals_auditevent WHERE request_id = %s"""


@pytest.fixture
def rita() -> User:
    return make_user("rita")


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """A connection of its own, in a transaction of its own."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    ) as opened:
        yield opened


def decide(request: ApprovalRequest, rita: User) -> None:
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=rita, channel=Channel.API)


def covered() -> list[tuple[int, int, int, int]]:
    rows = AuditCheckpoint.objects.order_by("pk")
    return list(rows.values_list("pk", "first_event_id", "last_event_id", "events"))


def objections() -> list[str]:
    with snapshot():
        return [str(violation) for check in HISTORY for violation in check.run(Scope())]


def last_line() -> int:
    return AuditEvent.objects.latest("pk").pk


def test_each_sweep_seals_what_has_come_since_the_one_before(rita: User) -> None:
    request = make_request(rita)
    assert seal_due(now=database_now()) == 1
    first = last_line()
    assert seal_due(now=database_now()) == 0
    decide(request, rita)
    assert seal_due(now=database_now()) == 1

    assert covered() == [(1, 1, first, 1), (2, first + 1, last_line(), 1)]
    assert objections() == []


def test_many_lines_are_sealed_piece_by_piece(rita: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "LINES", 2)
    for _ in range(5):
        make_request(rita)
    assert seal_due(now=database_now()) == 5
    assert [events for *_, events in covered()] == [2, 2, 1]
    assert objections() == []


def test_what_does_not_fit_into_one_sweep_is_left_to_the_next(
    rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_request(rita)
    assert seal_due(now=database_now(), budget=AT_ONCE) == 0
    assert seal_due(now=database_now()) == 1


def test_no_line_that_is_being_written_can_slip_below_a_checkpoint(
    rita: User, other: psycopg.Connection
) -> None:
    slow = make_request(rita)
    other.execute(_LINE, [slow.pk])  # has drawn its key, and is not committed
    make_request(rita)  # has drawn a later one, and is

    assert seal_due(now=database_now(), patience=AT_ONCE) == 0
    other.commit()
    assert seal_due(now=database_now()) == 3


def test_a_checkpoint_waits_only_for_those_who_were_writing_before_it_looked(
    rita: User, other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(rita)
    looks: list[set[str]] = []
    look = sealing._writers

    def look_then_write() -> set[str]:
        looks.append(look() | ({"one that ends"} if not looks else set()))
        if len(looks) == 1:
            other.execute(_LINE, [request.pk])
        return looks[-1]

    monkeypatch.setattr(sealing, "_writers", look_then_write)
    assert seal_due(now=database_now()) == 1
    assert len(looks[1]) == 1, "the newcomer was there, and not waited for"


def test_two_sweeps_at_once_write_one_chain_of_checkpoints(
    rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LINES", 3)
    for _ in range(20):
        make_request(rita)

    def sweep(_: int) -> int:
        try:
            return seal_due(now=database_now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        sealed = sum(pool.map(sweep, range(3)))
    sealed += seal_due(now=database_now())
    assert sealed == 20
    assert [pk for pk, *_ in covered()] == list(range(1, len(covered()) + 1))
    assert objections() == []


def test_a_checkpoint_stands_as_it_was_written(rita: User) -> None:
    make_request(rita)
    seal_due(now=database_now())
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        AuditCheckpoint.objects.update(events=9)
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        AuditCheckpoint.objects.all().delete()


def test_another_key_breaks_the_checkpoints(rita: User, settings) -> None:
    make_request(rita)
    seal_due(now=database_now())
    settings.AUDIT_KEY = b"z" * 32
    assert any("checkpoint 1" in sentence for sentence in objections())
