"""History is counted line by line, each once, whoever writes or counts meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections, transaction

from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.models import ApprovalRequest, AuditEvent, Tally, counting
from approvals.states import AuditTag
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_request, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]


def claimed() -> float:
    """How many claims have been counted."""
    return Tally.objects.totals().get("events", {}).get("request.claimed", 0.0)


def write_claim(request: ApprovalRequest) -> None:
    with transaction.atomic():
        AuditEvent.objects.record(AuditTag.CLAIMED, desk.lock(request.pk), at=database_now())


@contextmanager
def claim_under_way(request: ApprovalRequest) -> Iterator[None]:
    """A line is written, its key drawn, and not committed before the end of the block."""
    written, may_end = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                write_claim(request)
                written.set()
                may_end.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(20)
    try:
        yield
    finally:
        may_end.set()
        thread.join()


def test_a_line_committed_after_a_later_one_is_counted_all_the_same():
    slow, quick = make_request(make_user()), make_request(make_user())
    counting.count_events()
    with claim_under_way(slow):
        write_claim(quick)
        for _ in range(3):
            counting.count_events()
        assert claimed() == 0  # to pass the open line would be to lose it
        assert counting.uncounted() == 2
    counting.count_events()
    assert claimed() == 2
    assert counting.uncounted() == 0


def test_what_is_committed_is_counted_at_once_where_nobody_writes():
    write_claim(make_request(make_user()))
    counting.count_events()
    assert claimed() == 1


def test_writers_that_never_pause_do_not_hold_up_the_count():
    first, second, third = (make_request(make_user()) for _ in range(3))
    write_claim(first)
    second_open, third_open = claim_under_way(second), claim_under_way(third)
    with ExitStack() as open_ones:
        with second_open:
            counting.count_events()
            assert claimed() == 0
            open_ones.enter_context(third_open)
        counting.count_events()  # the third had not begun when the first was seen
        assert claimed() == 1


def test_a_place_kept_by_another_server_does_not_stop_the_count():
    write_claim(make_request(make_user()))
    counting.count_events()
    Tally.objects.filter(name="events_place", label="fence").update(value=2.0**50)
    write_claim(make_request(make_user()))
    for _ in range(2):
        counting.count_events()
    assert claimed() == 2


def test_a_long_history_is_counted_in_batches(monkeypatch):
    request = make_request(make_user())
    counting.count_events()
    for _ in range(5):
        write_claim(request)
    monkeypatch.setattr(counting, "BATCH", 2)
    assert [counting.count_events() for _ in range(4)] == [2, 2, 1, 0]
    assert claimed() == 5


def test_two_who_count_at_once_count_every_line_once():
    request = make_request(make_user())

    def count(_: int) -> None:
        try:
            for _ in range(5):
                counting.count_events()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        counters = [pool.submit(count, n) for n in range(2)]
        for _ in range(10):
            write_claim(request)
        for each in counters:
            each.result()
    for _ in range(2):  # one may only end what was begun before the last line was there
        counting.count_events()
    assert claimed() == 10


def test_counts_of_two_sweeps_that_end_together_add_up():
    counts = {("beats", word): 1.0 for word in ("accepted", "closed", "refused")}
    backwards = dict(reversed(counts.items()))

    def add(mine: dict[tuple[str, str], float]) -> None:
        try:
            for _ in range(20):
                Tally.objects.add(mine)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, [counts, backwards]))
    assert Tally.objects.totals()["beats"] == dict.fromkeys(["accepted", "closed", "refused"], 40.0)
