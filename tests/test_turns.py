"""Locks that fall with their connection, each worker standing on one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from approvals import turns

pytestmark = pytest.mark.django_db(transaction=True)

Elsewhere = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Calls what it is given as another worker would, on another connection."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda act: pool.submit(act).result()
        pool.submit(connections.close_all).result()


def may_begin() -> bool:
    with turns.turn(turns.BEAT) as mine:
        return mine


def test_there_are_as_many_turns_as_keys(elsewhere: Elsewhere) -> None:
    with turns.turn(turns.BEAT), turns.turn(turns.BEAT[1:]):
        assert not elsewhere(may_begin)
    assert elsewhere(may_begin)


def test_one_turn_leaves_the_other(elsewhere: Elsewhere) -> None:
    with turns.turn(turns.BEAT):
        assert elsewhere(may_begin)


def test_a_turn_ends_with_an_error_too(elsewhere: Elsewhere) -> None:
    with pytest.raises(ZeroDivisionError), turns.turn(turns.LOOK), turns.turn(turns.BEAT):
        raise ZeroDivisionError

    with turns.turn(turns.BEAT[1:]):
        assert elsewhere(may_begin)


def test_a_turn_ends_with_its_connection(elsewhere: Elsewhere) -> None:
    def die_holding_both() -> None:
        with connection.cursor() as cursor:
            for key in turns.BEAT:
                cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        connection.close()

    elsewhere(die_holding_both)

    with connection.cursor() as cursor:  # waits, at most for lock_timeout
        for key in turns.BEAT:
            cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock(%s)", [key, key])


def test_what_a_worker_hangs_on_is_known_everywhere_until_it_moves(elsewhere: Elsewhere) -> None:
    with turns.stuck() as mine:
        mine.tell([7, 8])
        assert sorted(elsewhere(turns.Stuck().everywhere)) == [7, 8]

        mine.tell([8])
        assert elsewhere(turns.Stuck().everywhere) == [8]

    assert elsewhere(turns.Stuck().everywhere) == []


def test_two_may_hang_on_one_source(elsewhere: Elsewhere) -> None:
    with turns.stuck() as mine:
        mine.tell([7])

        def hang_too() -> list[int]:
            with turns.stuck() as other:
                other.tell([7])
                return other.everywhere()

        assert elsewhere(hang_too) == [7]
        assert elsewhere(turns.Stuck().everywhere) == [7]


def test_no_two_locks_have_one_number() -> None:
    numbers = [
        number
        for name, value in vars(turns).items()
        if name.isupper()
        for number in (value if isinstance(value, tuple) else (value,))
    ]
    assert len(numbers) == len(set(numbers)) >= 9
