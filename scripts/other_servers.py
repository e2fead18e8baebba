"""Run tests on other servers than the embedded ones: PostgreSQL 15 and Redis 7.

    python scripts/other_servers.py            # the part CI runs
    python scripts/other_servers.py tests      # all of it, or what you name

Both are started in a folder of their own on free ports and stopped in the end. They are
looked for where Debian puts them and on PATH; as root, Debian's packages are installed
where they are missing. What cannot be had fails: a part of the promise nobody tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from portal.embedded import ground, rank  # noqa: E402  found by the line above
from portal.supervisor import Program, Supervisor, wait_until  # noqa: E402

POSTGRES_MAJOR, REDIS_MAJOR = 15, 7
DEBIAN_POSTGRES = Path(f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin")
PACKAGES = (f"postgresql-{POSTGRES_MAJOR}", "redis-server")
#: Where dialects could differ: SQL of our own, triggers, locks, the queue, the broker.
SMOKE = (
    "tests/lifecycle",
    "tests/callbacks/test_outbox.py",
    "tests/callbacks/test_heartbeats.py",
    "tests/intake/test_open.py",
    "tests/review/test_queue.py",
    "tests/review/test_race.py",
    "tests/operations/test_health.py",
    "tests/portal/test_cache.py",
    "tests/test_database_trouble.py",
    "tests/test_checks.py",
)
UP_WITHIN = timedelta(seconds=30)
USER, DATABASE = "countersign", "countersign"


class MissingError(Exception):
    """A server cannot be had here; the message says which and what to do."""


def main(tests: Sequence[str]) -> int:
    try:
        postgres, redis = _found()
    except MissingError as error:
        print(error, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="countersign-servers-"))
    supervisor = Supervisor(folder / "logs", say=print)
    try:
        urls = {
            "DATABASE_URL": _start_postgres(folder / "postgres", postgres, supervisor),
            "REDIS_URL": _start_redis(folder, redis, supervisor),
        }
        argv = [sys.executable, "-m", "pytest", "-n", "2", *_no_skips(), *(tests or SMOKE)]
        return subprocess.run(argv, cwd=ROOT, env=os.environ | urls, check=False).returncode
    finally:
        supervisor.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _no_skips() -> list[str]:
    return ["-p", "tests.plugins.no_skips"] if os.environ.get("CI") == "true" else []


def _found() -> tuple[Path, Path]:
    """The folder of PostgreSQL's programs, and the Redis server; installed if need be."""
    if not (_find_postgres() and _find_redis()):
        _install()
    postgres, redis = _find_postgres(), _find_redis()
    if postgres and redis:
        return postgres, redis
    asked = {f"PostgreSQL {POSTGRES_MAJOR}": postgres, f"Redis {REDIS_MAJOR}": redis}
    missing = " and ".join(name for name, place in asked.items() if place is None)
    raise MissingError(
        f"{missing} cannot be found here, and could not be installed. Debian 12 has both:"
        f" install {' and '.join(PACKAGES)}, then run this again."
    )


def _find_postgres() -> Path | None:
    on_path = shutil.which("postgres")
    for folder in (DEBIAN_POSTGRES, Path(on_path).parent if on_path else DEBIAN_POSTGRES):
        if _major(folder / "postgres") == POSTGRES_MAJOR and (folder / "initdb").exists():
            return folder
    return None


def _find_redis() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found and _major(Path(found)) == REDIS_MAJOR else None


def _major(program: Path) -> int | None:
    """The first number of `program --version`; None where there is no such program."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"(\d+)\.", said.stdout)
    return int(number[1]) if number else None


def _install() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    for words in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *PACKAGES]):
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([apt, *words], env=env, check=False)


def _start_postgres(folder: Path, programs: Path, supervisor: Supervisor) -> str:
    """A cluster whose USER is superuser, as the tests need to empty tables quickly."""
    ground.private_folder(folder)
    prefix = rank.unprivileged(folder, programs / "postgres")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    cluster, port = folder / "cluster", ground.free_port()
    password = ground.kept_password(folder / "password")
    words = ["-D", cluster, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    words += ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    subprocess.run([*prefix, programs / "initdb", *words], env=env, check=True, capture_output=True)
    single = [*prefix, programs / "postgres", "--single", "-D", cluster, "postgres"]
    made = f"CREATE DATABASE {DATABASE}\n"
    subprocess.run(single, input=made, text=True, env=env, check=True, capture_output=True)
    settings = [f"listen_addresses={ground.LOOPBACK}", f"port={port}", "unix_socket_directories="]
    settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    argv = [*prefix, str(programs / "postgres"), "-D", str(cluster)]
    argv += [word for setting in settings for word in ("-c", setting)]
    supervisor.start(Program(name="postgres", argv=argv, env=env, layer=0))
    _wait(supervisor, "postgres", "database system is ready to accept connections")
    return f"postgresql://{USER}:{password}@{ground.LOOPBACK}:{port}/{DATABASE}"


def _start_redis(folder: Path, program: Path, supervisor: Supervisor) -> str:
    port = ground.free_port()
    words = ["--bind", ground.LOOPBACK, "--port", str(port), "--save", "", "--dir", str(folder)]
    argv = [str(program), *words]
    supervisor.start(Program(name="redis", argv=argv, env=dict(os.environ), layer=0))
    _wait(supervisor, "redis", "Ready to accept connections")
    return f"redis://{ground.LOOPBACK}:{port}/0"


def _wait(supervisor: Supervisor, name: str, words: str) -> None:
    log = supervisor.log_of(name)
    if not wait_until(lambda: words in log.read_text(encoding="utf-8"), within=UP_WITHIN):
        raise SystemExit(f"{name} did not start:\n{log.read_text(encoding='utf-8')}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
