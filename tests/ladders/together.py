"""Several steps at one moment, each on a thread and a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Self, TypeVar

from django.db import connections

Result = TypeVar("Result")
PATIENCE = 120  # seconds until a thread that never came fails the test


class Crowd:
    """So many threads; each keeps its connection until the crowd goes home."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size)
        self._size = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.at_once([connections.close_all] * self._size)
        self._pool.shutdown()

    def at_once(self, steps: Sequence[Callable[[], Result]]) -> list[Result]:
        """What each of STEPS, one per thread, came to; all begin behind one barrier."""
        assert len(steps) == self._size, "each thread takes one, so that none takes two"
        start = Barrier(len(steps))

        def run(step: Callable[[], Result]) -> Result:
            start.wait(timeout=PATIENCE)
            return step()

        return list(self._pool.map(run, steps))


def at_once(steps: Sequence[Callable[[], Result]]) -> list[Result]:
    """As Crowd.at_once, of a crowd that meets for this alone."""
    with Crowd(len(steps)) as crowd:
        return crowd.at_once(steps)
