"""The commands of docker-compose.yml, run one by one as Compose would, without containers.

The files of the image in a folder of their own; settings and secrets as make_secrets
leaves them; the database role as docker/10-portal-role.sql makes it; the broker with the
valkey.conf that is mounted there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from portal.embedded import Engines, ground
from portal.embedded.postgres import _binaries, _env
from portal.embedded.valkey import _binary
from portal.supervisor import Program, Supervisor, wait_until
from tests.deploy.recipes import ROOT, command_of, environment_of, lay_out
from tests.deploy.test_make_secrets import dotenv, make

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("deploy")]

UP_WITHIN = timedelta(seconds=90)
PYTHON = os.environ.get("IMAGE_PYTHON", sys.executable)


class Stack:
    """The portal of Compose on ports of this machine."""

    def __init__(self, folder: Path, engines: Engines, supervisor: Supervisor) -> None:
        self.tree = lay_out(folder / "srv")
        self.folder = folder
        self.engines = engines
        self.supervisor = supervisor
        self.port, self.broker_port = ground.free_port(), ground.free_port()
        make(folder, "--base-url", "https://approvals.example.com")
        self.secrets = folder / "secrets"
        self._make_role()
        self._start_broker()

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text(encoding="utf-8")

    def env(self, name: str) -> dict[str, str]:
        return environment_of(name, dotenv(self.folder), self.secrets) | {
            "STATIC_ROOT": str(self.tree / "staticfiles")
        }

    def argv(self, words: list[str]) -> list[str]:
        """WORDS with this machine's Python, ports and addresses."""
        if words[0] != "python":
            words = ["python", "-m", *words]
        here = {"python": PYTHON, "8000": str(self.port), "0.0.0.0": ground.LOOPBACK}
        here["http://web:8000"] = f"http://{ground.LOOPBACK}:{self.port}"
        here["/tmp/beat-schedule"] = str(self.folder / "beat-schedule")
        return [here.get(word, word) for word in words]

    def run(self, name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        env = self.env(name)
        argv = self.argv(words)
        return subprocess.run(
            argv, cwd=self.tree, env=env, capture_output=True, text=True, check=False
        )

    def start(self, name: str) -> None:
        argv = self.argv(command_of(name))
        self.supervisor.start(Program(name=name, argv=argv, env=self.env(name), cwd=self.tree))

    def _make_role(self) -> None:
        """As the PostgreSQL image does with the files of docker-entrypoint-initdb.d."""
        psql = [_binaries() / "psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
        env = dict(_env()) | {"POSTGRES_PASSWORD": self.secret("postgres_password")}
        url = self.engines.database_url.rpartition("/")[0]
        for words in (
            ["-c", "DROP DATABASE countersign"],
            ["-f", ROOT / "docker/10-portal-role.sql"],
        ):
            subprocess.run([*psql, f"{url}/postgres", *words], env=env, check=True)
        self._move("database_url", "postgres:5432", url.rpartition("@")[2])

    def _start_broker(self) -> None:
        self._move("redis_url", "valkey:6379", f"{ground.LOOPBACK}:{self.broker_port}")
        self._move("valkey.conf", "port 6379", f"port {self.broker_port}")
        self._move("valkey.conf", "bind * -::*", f"bind {ground.LOOPBACK}")
        argv = [str(_binary()), str(self.secrets / "valkey.conf")]
        self.supervisor.start(Program(name="valkey", argv=argv, env=dict(os.environ), layer=0))

    def _move(self, name: str, old: str, new: str) -> None:
        text = self.secret(name)
        assert old in text
        (self.secrets / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("compose")
    with Engines(folder / "engines", durable=False, redis_url="redis://unused") as engines:
        supervisor = Supervisor(folder / "logs", say=lambda _: None)
        try:
            yield _up(Stack(folder, engines, supervisor))
        finally:
            supervisor.stop()


def _up(stack: Stack) -> Stack:
    """In the order `depends_on` asks for."""
    built = stack.run("web", ["python", "scripts/collect_static.py"])
    migrated = stack.run("migrate", command_of("migrate"))
    assert (built.returncode, migrated.returncode) == (0, 0), built.stderr + migrated.stderr
    for name in ("web", "worker", "beat"):
        stack.start(name)
    return stack


HEALTH: dict[str, list[str]] = {
    "web": [],
    "worker": ["worker", "http://web:8000"],
    "beat": ["beat", "http://web:8000"],
}


@pytest.mark.parametrize("name", HEALTH)
def test_the_health_check_passes_once_the_service_is_up(stack: Stack, name: str) -> None:
    here = f"http://{ground.LOOPBACK}:{stack.port}"
    words = HEALTH[name] or ["", here]

    def well() -> bool:
        return stack.run(name, ["python", "scripts/healthcheck.py", *words]).returncode == 0

    assert wait_until(well, within=UP_WITHIN), (
        stack.run(name, ["python", "scripts/healthcheck.py", *words]).stdout
        + stack.supervisor.log_of(name).read_text(encoding="utf-8")[-2000:]
    )


def test_the_health_check_fails_for_a_portal_that_is_not_there(stack: Stack) -> None:
    nobody = f"http://{ground.LOOPBACK}:{ground.free_port()}"
    done = stack.run("web", ["python", "scripts/healthcheck.py", "", nobody])
    assert done.returncode == 1
    assert "does not answer" in done.stdout


def test_the_portal_is_no_superuser_and_the_superuser_has_no_password(stack: Stack) -> None:
    with psycopg.connect(stack.secret("database_url")) as portal:
        row: Any = portal.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
    assert row == (False,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stack.engines.database_url)


def test_the_probe_of_the_broker_may_ask_for_a_pong_and_nothing_else(stack: Stack) -> None:
    probe = Redis(port=stack.broker_port, username="probe", password="probe", socket_timeout=5)
    assert probe.ping()
    with pytest.raises(NoPermissionError):
        probe.get("countersign:beat")
    with pytest.raises(NoPermissionError):
        Redis.from_url(stack.secret("redis_url"), socket_timeout=5).config_get("*")


def test_the_deployment_checks_of_django_pass_with_these_settings(stack: Stack) -> None:
    words = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = stack.run("web", [*words, "--database", "default"])
    assert done.returncode == 0, done.stderr
