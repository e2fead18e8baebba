"""Both engines as one thing to start and stop."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from portal.embedded import ground
from portal.embedded.ground import EngineError
from portal.embedded.postgres import Postgres
from portal.embedded.valkey import Valkey
from portal.supervisor import Supervisor, wait_until

#: A first start takes 1 s; recovery after a power cut, or a disk that is busy, longer.
READY_WITHIN = timedelta(seconds=30)


class Engines:
    """PostgreSQL and Valkey in DATA_DIR, private to this user, on free loopback ports.

    A DATABASE_URL or REDIS_URL that is given is used as it is, and its engine is not
    started. With DURABLE false nothing is synced to disk: for tests. With a SUPERVISOR
    of the caller, that one runs, restarts and in the end stops the engines; without,
    they are run here, not restarted, and `stop` ends them. Rows outlive a restart.

    Start from the main thread: the engines end with the thread that started them.

    Raises (on start):
        EngineError: an engine is missing or does not start, or DATA_DIR is in use.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        durable: bool = True,
        database_url: str | None = None,
        redis_url: str | None = None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.database_url = database_url or ""
        self.redis_url = redis_url or ""
        self.pids: dict[str, int] = {}
        self._data_dir = Path(data_dir)
        self._durable = durable
        self._lent = supervisor
        self._supervisor: Supervisor | None = None
        self._lock: IO[bytes] | None = None

    def start(self) -> Self:
        """Start what was not given, and return once it takes connections."""
        folder = ground.private_folder(self._data_dir)
        self._lock = ground.own(folder)
        self._supervisor = self._lent or Supervisor(folder / "logs", say=lambda _: None)
        try:
            self._start_missing(folder, self._supervisor)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop our engines, unless the supervisor is the caller's, and free the folder."""
        if self._supervisor is not None and self._lent is None:
            self._supervisor.stop()
        self._supervisor = None
        self.pids = {}
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_missing(self, folder: Path, supervisor: Supervisor) -> None:
        started: list[Postgres | Valkey] = []
        if not self.database_url:
            postgres = Postgres(folder / "postgres", durable=self._durable)
            self.database_url = postgres.url
            started.append(postgres)
        if not self.redis_url:
            valkey = Valkey(folder / "valkey", durable=self._durable)
            self.redis_url = valkey.url
            started.append(valkey)
        for engine in started:
            self.pids[engine.name] = supervisor.start(engine.prepare())
        for engine in started:
            _wait(engine, supervisor)


def _wait(engine: Postgres | Valkey, supervisor: Supervisor) -> None:
    pid = supervisor.pids[engine.name]

    def settled() -> bool:
        return engine.ready(pid) or not supervisor.running(engine.name)

    wait_until(settled, within=READY_WITHIN)
    if not engine.ready(pid):
        log = supervisor.log_of(engine.name)
        raise EngineError(f"{engine.name} did not start: {_last_line(log)} Its log is {log}.")


def _last_line(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing."
    return "it left no log."
