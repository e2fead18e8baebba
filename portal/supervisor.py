"""Keeps a few programs running, and takes them down with itself.

Used by the demo and the tests only; production has systemd, Compose or Kubernetes.

A program that ends is started again, after a growing pause. Stopping goes layer by
layer, the highest first, so that no program loses what it stands on. Whoever starts
programs must do so from the main thread: on Linux a child's parent is the thread.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from portal.orphans import Undertaker, end_group, follow_parent

FIRST_PAUSE = timedelta(seconds=0.2)
LONGEST_PAUSE = timedelta(seconds=5)
#: A program that ran this long was well; its next failure is its first.
SETTLED_AFTER = timedelta(seconds=10)
LOOK_EVERY = timedelta(seconds=0.02)
#: Seldom enough to cost nothing over days, and to leave a starting portal in peace.
TEND_EVERY = timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how it likes to be ended.

    LAYER 0 stands lowest and is stopped last. GRACE is how long the program may take
    from its stop signal to its end; then it is killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    cwd: Path | None = None
    layer: int = 1
    grace: timedelta = timedelta(seconds=6)


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_at: float
    pause: timedelta = field(default=FIRST_PAUSE)
    retry_at: float | None = None


class Supervisor:
    """Starts programs, starts them again when they end, and stops them all.

    LOGS is the folder for one file per program. SAY receives each sentence meant for
    the person at the terminal; CHANGED is called whenever a program has a new pid.
    """

    def __init__(
        self,
        logs: Path,
        *,
        say: Callable[[str], None] = print,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        undertaker: Undertaker | None = None,
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs = logs
        self.changed = changed
        self._say = say
        self._clock = clock
        self._children: dict[str, _Child] = {}
        # Where the kernel does not tell children of their parent's death, a process does.
        needed = undertaker is None and sys.platform != "linux"
        self._undertaker = Undertaker() if needed else undertaker

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every program, by name."""
        return {name: child.process.pid for name, child in self._children.items()}

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def running(self, name: str) -> bool:
        return self._children[name].process.poll() is None

    def start(self, program: Program) -> int:
        """Start PROGRAM with an empty log and return its process id."""
        self.log_of(program.name).write_bytes(b"")
        process = self._spawn(program)
        self._children[program.name] = _Child(program, process, self._clock())
        return process.pid

    def tend(self) -> None:
        """Start again whoever has ended and has paused long enough."""
        for child in self._children.values():
            if child.retry_at is not None and self._clock() >= child.retry_at:
                self._start_again(child)
            elif child.retry_at is None and child.process.poll() is not None:
                self._note_end(child)

    def tend_until(self, done: Callable[[], bool], *, within: timedelta) -> bool:
        """Tend until DONE says so (True) or WITHIN has passed (False)."""

        def look() -> bool:
            self.tend()
            return done()

        return wait_until(look, within=within, every=TEND_EVERY)

    def stop(self) -> None:
        """End every program, highest layer first; kill those that exceed their grace."""
        layers = {child.program.layer for child in self._children.values()}
        for layer in sorted(layers, reverse=True):
            children = [c for c in self._children.values() if c.program.layer == layer]
            self._stop_layer(children[::-1])
        self._children.clear()
        if self._undertaker is not None:
            self._undertaker.dismiss()

    def _stop_layer(self, children: list[_Child]) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)
        began = self._clock()
        for child in children:
            grace = child.program.grace.total_seconds() - (self._clock() - began)
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=max(grace, 0))
            self._bury(child)

    def _bury(self, child: _Child) -> None:
        """Kill what CHILD's process group still holds, and forget its pid."""
        end_group(child.process.pid)
        child.process.wait()
        if self._undertaker is not None:
            self._undertaker.forget(child.process.pid)

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        with self.log_of(program.name).open("ab") as log:
            process = subprocess.Popen(
                list(program.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.env),
                cwd=program.cwd,
                start_new_session=True,
                preexec_fn=follow_parent(program.stop_signal),  # noqa: PLW1509 - runs two calls
            )
        if self._undertaker is not None:
            self._undertaker.remember(process.pid, program.stop_signal)
        return process

    def _note_end(self, child: _Child) -> None:
        self._bury(child)
        now = self._clock()
        if now - child.started_at >= SETTLED_AFTER.total_seconds():
            child.pause = FIRST_PAUSE
        child.retry_at = now + child.pause.total_seconds()
        child.pause = min(child.pause * 2, LONGEST_PAUSE)
        name = child.program.name
        self._say(
            f"{name}: ended with {_cause(child.process.returncode)}; it is started again."
            f" Its log is {self.log_of(name)}."
        )

    def _start_again(self, child: _Child) -> None:
        child.process = self._spawn(child.program)
        child.started_at = self._clock()
        child.retry_at = None
        self.changed()


def wait_until(
    done: Callable[[], bool], *, within: timedelta, every: timedelta = LOOK_EVERY
) -> bool:
    """Look again and again until DONE says so (True) or WITHIN has passed (False)."""
    end = time.monotonic() + within.total_seconds()
    while not done():
        if time.monotonic() >= end:
            return False
        time.sleep(every.total_seconds())
    return True


def _cause(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    with suppress(ValueError):
        return signal.Signals(-returncode).name
    return f"signal {-returncode}"
