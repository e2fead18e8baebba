"""Everything a bench stands on: engines, portal, yardstick, workers; all of it our own.

On free loopback ports, in one folder, ended with the `with` block. The environment is
written here in full: nothing of the caller's but where programs lie.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404  what a benchmark is for
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from bench.cpu import seconds_of
from bench.figures import BenchError
from bench.messages import HOST
from portal.demo.keys import kept_keys
from portal.demo.steps import answers, run_step
from portal.embedded import Engines, ground
from portal.embedded.postgres import Postgres
from portal.supervisor import Program, Supervisor, wait_until

ROOT = Path(__file__).resolve().parents[1]
KEPT_FROM_CALLER = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
UP_WITHIN = timedelta(seconds=90)
#: Asking more often would keep a starting program from starting.
ASK_EVERY = timedelta(seconds=0.2)
#: Nothing is kept, so nobody needs time to finish.
GRACE = timedelta(seconds=1)
#: Both sides are served alike.
SERVER = ("--interface", "wsgi", "--workers", "2", "--blocking-threads", "4")
WORKER = ("worker", "-P", "prefork", "-c", "10", "-l", "INFO", "--without-gossip")
#: Says when a row was committed (resume.py); a few nanoseconds for each transaction.
POSTGRES_CONF = "track_commit_timestamp = on\n"


class House:
    """Engines, a migrated database and the portal; the other programs when asked for.

    CALLBACK_API is where the source's callbacks go. WITH_PAGES collects the static files,
    whose names pages need.

    Raises (on entering, and by `start_...`):
        BenchError, DemoError, EngineError: something does not start; the text says what.
    """

    def __init__(self, folder: Path, *, callback_api: str, with_pages: bool = False) -> None:
        self.folder = ground.private_folder(folder)
        self.portal_port = ground.free_port()
        self.bare_port = ground.free_port()
        self._callback_api = callback_api
        self._with_pages = with_pages
        self._supervisor = Supervisor(self.folder / "logs", say=lambda _: None)
        self._engines = Engines(self.folder, durable=True, supervisor=self._supervisor)
        self.seeded: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._configure_postgres()
            self._engines.start()
            (self.folder / "static").mkdir(exist_ok=True)
            if self._with_pages:
                self.run("static", "django", "collectstatic", "--noinput", "-v0")
            self._serve("portal", "portal.wsgi:application", self.portal_port)
            self._seed()  # while the portal imports what it needs
            self._await("portal", answers(f"http://{HOST}:{self.portal_port}", "/healthz"))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def database_url(self) -> str:
        return self._engines.database_url

    @property
    def redis_url(self) -> str:
        return self._engines.redis_url

    def run(self, name: str, *words: str) -> None:
        """Run the module and arguments WORDS to their end, as one of the portal's programs."""
        run_step(name, _module(*words), self._env, self._supervisor.logs)

    def start(self, name: str, *words: str) -> None:
        """Start the module and arguments WORDS as the program NAME; it ends with the house."""
        self._supervisor.start(
            Program(
                name=name,
                argv=_module(*words),
                env=self._env,
                cwd=ROOT,
                stop_signal=signal.SIGTERM,
                layer=1,
                grace=GRACE,
            )
        )

    def talk_to(self, *words: str) -> subprocess.Popen[str]:
        """Start the module and arguments WORDS, to be asked line by line; ended by the caller.

        What it complains of comes with the benchmark's own complaints.
        """
        return subprocess.Popen(  # nosec B603  our own programs
            _module(*words),
            env=self._env,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start_bare(self) -> None:
        self.run("bare-tables", "bench.bare")
        self._serve("bare", "bench.bare:application", self.bare_port)
        self._await("bare", answers(f"http://{HOST}:{self.bare_port}", "/healthz"))

    def start_workers(self) -> None:
        """Worker and beat, as the demo runs them; returns once readiness has seen both."""
        schedule = str(self.folder / "beat-schedule")
        self.start("worker", "celery", "-A", "portal.celery", *WORKER, "--without-mingle")
        self.start("beat", "celery", "-A", "portal.celery", "beat", "--pidfile=", "-s", schedule)
        self._await("worker", answers(f"http://{HOST}:{self.portal_port}", "/readyz"))

    def restart_what_ended(self, name: str) -> float:
        """Start NAME again, and whoever else ended; when it was up, in seconds."""
        child = self.pids[name]
        self.tend_until(lambda: self.pids[name] != child, UP_WITHIN)
        return time.time()

    def tend_until(self, done: Callable[[], bool], within: timedelta) -> bool:
        """Start again whoever ends, until DONE says so (True) or WITHIN has passed."""
        return self._supervisor.tend_until(done, within=within)

    @property
    def pids(self) -> dict[str, int]:
        return self._supervisor.pids

    def cpu_seconds(self, name: str) -> float:
        """CPU time so far of the program NAME and its children."""
        return seconds_of(self.pids[name])

    def rows(self, *tables: str) -> dict[str, int]:
        """How many rows TABLES have."""
        with psycopg.connect(self.database_url) as database:
            return {table: _count(database, table) for table in tables}

    def settle(self) -> None:
        """Write out what earlier runs left dirty, so that no run pays for another's."""
        with psycopg.connect(self.database_url, autocommit=True) as database:
            database.execute("CHECKPOINT")

    @property
    def _env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_FROM_CALLER if name in os.environ}
        return {
            **kept,
            **kept_keys(self.folder),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ALLOWED_HOSTS": HOST,
            "BASE_URL": f"https://{HOST}",
            "BEHIND_PROXY": "true",
            "STATIC_ROOT": str(self.folder / "static"),
            "BARE_SECRET": self.seeded.get("secret", ""),
            "BARE_TOKEN": self.seeded.get("token", ""),
            "BENCH_CALLBACK_API": self._callback_api,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def _configure_postgres(self) -> None:
        """Make the cluster before the engines start it: some settings are read only then."""
        Postgres(self.folder / "postgres", durable=True).prepare()
        conf = self.folder / "postgres" / "cluster" / "postgresql.auto.conf"
        with conf.open("a", encoding="utf-8") as stream:
            stream.write(POSTGRES_CONF)

    def _seed(self) -> None:
        out = self.folder / "seeded.json"
        self.run("prepare", "bench.prepare", self._callback_api, str(out))
        self.seeded = json.loads(out.read_text(encoding="utf-8"))

    def _serve(self, name: str, application: str, port: int) -> None:
        self.start(name, "granian", *SERVER, "--host", HOST, "--port", str(port), application)

    def _await(self, name: str, up: Callable[[], bool]) -> None:
        running = self._supervisor.running
        wait_until(lambda: up() or not running(name), within=UP_WITHIN, every=ASK_EVERY)
        if not running(name) or not up():
            log = self._supervisor.log_of(name).read_text(encoding="utf-8", errors="replace")
            raise BenchError(f"{name} did not start: {''.join(log.strip().splitlines()[-1:])}")

    def _stop(self) -> None:
        self._supervisor.stop()
        self._engines.stop()


def _module(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", name, *words]


def _count(database: psycopg.Connection, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0
