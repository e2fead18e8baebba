"""Programs that may be killed, frozen, held down and started again, each by itself."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from portal.supervisor import Program, Supervisor


class Programs:
    """Keeps each program running in a supervisor of its own; a held one stays as it is.

    Start and tend from the main thread: programs end with the thread that started them.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.restarts = 0
        self._supervisors: dict[str, Supervisor] = {}
        self._held: set[str] = set()

    def start(self, program: Program) -> None:
        kept = Supervisor(self.logs, say=lambda _: None, changed=self._count)
        self._supervisors[program.name] = kept
        kept.start(program)

    def tend(self) -> None:
        for name, supervisor in self._supervisors.items():
            if name not in self._held:
                supervisor.tend()

    def runs(self, name: str) -> bool:
        return name in self._supervisors and self._supervisors[name].running(name)

    def pid(self, name: str) -> int:
        return self._supervisors[name].pids[name]

    def children(self, name: str) -> list[int]:
        """The direct children of NAME, pool processes of a worker for example."""
        with suppress(OSError):
            listed = Path(f"/proc/{self.pid(name)}/task/{self.pid(name)}/children").read_text()
            return [int(pid) for pid in listed.split()]
        return []

    def hold(self, name: str) -> None:
        """Do not start NAME again until it is released."""
        self._held.add(name)

    def release(self, name: str) -> None:
        self._held.discard(name)

    def signal(self, name: str, signum: signal.Signals, *, group: bool = False) -> None:
        """Send SIGNUM to NAME, with GROUP to its children too; one that is gone is fine."""
        send = os.killpg if group else os.kill
        with suppress(ProcessLookupError):
            send(self.pid(name), signum)

    def stop(self) -> None:
        """End all, the last started first."""
        for name, supervisor in reversed(self._supervisors.items()):
            self.signal(name, signal.SIGCONT, group=True)
            supervisor.stop()
        self._supervisors.clear()

    def _count(self) -> None:
        self.restarts += 1
