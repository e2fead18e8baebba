"""Everything a storm rages in: engines, stand-in, two portals, two workers, a beat or two.

On free loopback ports, in one folder, ended with the `with` block. The environment is
written here in full: nothing of the caller's but where programs lie.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from portal.demo.keys import kept_keys
from portal.demo.steps import answers, run_step
from portal.embedded import ground
from portal.embedded.ground import LOOPBACK
from portal.embedded.postgres import Postgres
from portal.embedded.valkey import Valkey
from portal.supervisor import Program
from tests.chaos.programs import Programs
from tests.chaos.proxy import Proxy
from tests.chaos.storms import Storm

ROOT = Path(__file__).resolve().parents[2]
KEPT_FROM_CALLER = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
UP_WITHIN = timedelta(seconds=120)
GRACE = timedelta(seconds=8)
WEBS = ("web-a", "web-b")
WORKERS = ("worker-a", "worker-b")
#: Its clock can be moved, where libfaketime is installed.
SKEWED = "worker-b"


class HouseError(Exception):
    """A program does not start; the message says which, and where its log is."""


class House:
    """The whole installation for a STORM. WITHOUT: see tests/chaos/settings.py."""

    def __init__(self, folder: Path, storm: Storm, *, seed: str, without: str = "") -> None:
        self.folder = ground.private_folder(folder)
        self.programs = Programs(ground.private_folder(folder / "logs"))
        self.ports = {name: ground.free_port() for name in (*WEBS, "stand-in")}
        self.proxy = Proxy({name: self.ports[name] for name in WEBS})
        self.record = self.folder / "record.jsonl"
        self.seed = seed
        self.storm = storm
        self.seeded: dict[str, Any] = {}
        self._without = without
        self._postgres = Postgres(self.folder / "postgres", durable=True)
        # Nothing of Valkey's survives its death: the hardest case, and the design's promise.
        self._valkey = Valkey(self.folder / "valkey", durable=False)
        self._clock = self.folder / "clock"
        self._clock.write_text("+0\n")

    def __enter__(self) -> Self:
        try:
            self._start_ground()
            self.run(
                "prepare",
                "tests.chaos.prepare",
                self.callback_api,
                str(self.folder / "seeded.json"),
            )
            self.seeded = json.loads((self.folder / "seeded.json").read_text(encoding="utf-8"))
            self._start_portal()
        except BaseException:
            self.programs.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.programs.stop()

    @property
    def callback_api(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['stand-in']}"

    @property
    def database_url(self) -> str:
        return self._postgres.url

    @property
    def redis_url(self) -> str:
        return self._valkey.url

    @property
    def can_skew(self) -> bool:
        return _faketime() is not None

    def run(self, name: str, *words: str) -> Path:
        """Run the module and arguments WORDS to their end as one of the portal's programs.

        Returns its log.

        Raises:
            DemoError: it failed; the text holds its last line.
        """
        run_step(name, _module(*words), self.env(), self.programs.logs)
        return self.programs.logs / f"{name}.log"

    def set_mood(self, mood: str) -> None:
        """What the stand-in does from now on: "faults", "slow", "well" or "down"."""
        line = http.client.HTTPConnection(LOOPBACK, self.ports["stand-in"], timeout=10)
        line.request("PUT", f"/{mood}")
        line.getresponse().read()
        line.close()

    def set_clock(self, offset: str) -> None:
        """Move the skewed worker's clock by OFFSET ("+1h", "-1d", "+0"), at once."""
        new = self._clock.with_name("clock.new")
        new.write_text(f"{offset}\n")
        new.replace(self._clock)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement, as the database's owner."""
        with psycopg.connect(self.database_url, autocommit=True, connect_timeout=5) as database:
            return database.execute(sql.encode(), values or None).fetchall()

    def start_beat(self, name: str) -> None:
        schedule = str(self.folder / f"{name}-schedule")
        self._start(name, "celery", "-A", "portal.celery", "beat", "--pidfile=", "-s", schedule)

    def start_web(self, name: str) -> None:
        served = ("--interface", "wsgi", "--workers", "1", "--blocking-threads", "8")
        where = ("--host", LOOPBACK, "--port", str(self.ports[name]))
        kill = ("--workers-kill-timeout", "5")
        self._start(name, "granian", *served, *kill, *where, "portal.wsgi:application")

    def serves(self, web: str) -> bool:
        return answers(f"http://{LOOPBACK}:{self.ports[web]}", "/healthz")()

    def pause(self) -> None:
        """Let nobody write any more, so that rows and record tell of the same moment."""
        for name in (*WORKERS, "sweeper"):
            if self.programs.runs(name):
                self.programs.signal(name, signal.SIGSTOP, group=True)

    def env(self, name: str = "") -> dict[str, str]:
        kept = {each: os.environ[each] for each in KEPT_FROM_CALLER if each in os.environ}
        return {
            **kept,
            **kept_keys(self.folder),
            **(self._faked() if name == SKEWED else {}),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "CHAOS_SCALED": "1" if self.storm.scaled else "",
            "CHAOS_WITHOUT": self._without,
            "ALLOWED_HOSTS": LOOPBACK,
            "BASE_URL": f"http://{LOOPBACK}:{self.ports['web-a']}",
            "INSECURE_HTTP": "true",
            "EMAIL_URL": "memory:",
            "LOG_LEVEL": "WARNING",
            "REMAP_SIGTERM": "SIGQUIT",
            "PYTHONUNBUFFERED": "1",
            "AWS_ACCESS_KEY_ID": "storm",
            "AWS_SECRET_ACCESS_KEY": "storm",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def _faked(self) -> dict[str, str]:
        library = _faketime()
        if library is None:
            return {}
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a stepped clock moves no other
        }

    def _start_ground(self) -> None:
        for engine in (self._postgres, self._valkey):
            self.programs.start(engine.prepare())
        for engine in (self._postgres, self._valkey):
            pid = self.programs.pid(engine.name)
            self._await(engine.name, lambda engine=engine, pid=pid: engine.ready(pid))
        port, slowest = str(self.ports["stand-in"]), str(self.storm.slowest)
        self._start("stand-in", "tests.chaos.stand_in", port, str(self.record), self.seed, slowest)

    def _start_portal(self) -> None:
        for name in WEBS:
            self.start_web(name)
        for name in WORKERS:
            pool = ("-P", "prefork", "-c", "4", "-l", "WARNING")
            quiet = ("--without-gossip", "--without-mingle", "--hostname", f"{name}@%h")
            self._start(name, "celery", "-A", "portal.celery", "worker", *pool, *quiet)
        self.start_beat("beat")
        if self.storm.sweeper:
            self._start("sweeper", "django", "run_sweeps")
        for name in WEBS:
            self._await(name, answers(f"http://{LOOPBACK}:{self.ports[name]}", "/readyz"))

    def _start(self, name: str, *words: str) -> None:
        program = Program(
            name=name, argv=_module(*words), env=self.env(name), cwd=ROOT, grace=GRACE
        )
        self.programs.start(program)

    def _await(self, name: str, up: Callable[[], bool]) -> None:
        end = time.monotonic() + UP_WITHIN.total_seconds()
        while not up():
            if not self.programs.runs(name) or time.monotonic() > end:
                raise HouseError(f"{name} did not start. Its log is in {self.programs.logs}.")
            time.sleep(0.1)


def _module(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", name, *words]


def _faketime() -> Path | None:
    """The library that fakes clocks, where there is one (Linux on x86_64)."""
    if sys.platform != "linux":
        return None
    spec = find_spec("libfaketime")
    places = (spec.submodule_search_locations or []) if spec else []
    found = (Path(place, "vendor/libfaketime/src/libfaketime.so.1") for place in places)
    return next((library for library in found if library.exists()), None)
