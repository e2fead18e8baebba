"""CPU time of a server: the program that was started and all it started itself."""

from __future__ import annotations

from contextlib import suppress

import psutil  # type: ignore[import-untyped] # comes with the embedded PostgreSQL


def seconds_of(pid: int) -> float:
    """User and system seconds of process PID and its descendants so far.

    Those that ended count with whoever waited for them; clock ticks are 10 ms on Linux.
    """
    root = psutil.Process(pid)
    return sum(_seconds(process) for process in [root, *root.children(recursive=True)])


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):  # it ended while we looked
        times = process.cpu_times()
        ended_children = getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
        return float(times.user + times.system + ended_children)
    return 0.0
