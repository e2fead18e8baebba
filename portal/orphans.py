"""What becomes of child processes when their parent dies without a word (SIGKILL).

Linux: the kernel sends each child the signal it asked for (`follow_parent`). Elsewhere,
as on macOS, there is no such request; there the supervisor keeps an `Undertaker`, a
small process that holds the other end of a pipe, knows every child's pid, and ends
them when the pipe closes. Only killing both at once leaves children behind there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

#: Reads "+pid signal" and "-pid 0" lines; at the end of the pipe signals who is left.
_UNDERTAKER = """
import os, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
alive = {}
for line in sys.stdin:
    pid, number = (int(word) for word in line[1:].split())
    if line[0] == "+":
        alive[pid] = number
    else:
        alive.pop(pid, None)
for pid, number in reversed(list(alive.items())):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
"""


def follow_parent(signum: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before exec, so that it gets SIGNUM when we die.

    It also undoes ignored signals: a script's `&` starts us with SIGINT ignored, and
    a child that inherits this could not be stopped with it.
    """
    parent = os.getpid()

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if _LIBC is None:
            return
        _LIBC.prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return prepare


def end_group(leader: int) -> None:
    """Kill every process left in the group that LEADER led; none is fine too."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


class Undertaker:
    """A process that outlives us by a moment and ends the children we remember."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _UNDERTAKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def remember(self, pid: int, signum: signal.Signals) -> None:
        self._write(f"+{pid} {int(signum)}\n")

    def forget(self, pid: int) -> None:
        self._write(f"-{pid} 0\n")

    def dismiss(self) -> None:
        """Let it go once every child is forgotten; it then has nobody to signal."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it was killed: the children still have us
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
