"""Several steps at one moment, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(steps: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each of STEPS came to, all of them begun behind one barrier."""
    start = Barrier(len(steps))

    def run(step: Callable[[], Result]) -> Result:
        start.wait(timeout=60)
        try:
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))
