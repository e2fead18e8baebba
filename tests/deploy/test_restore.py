"""The restore drill: a dump taken while people decide, restored beside, nothing lost.

Real dumps by pg_dump, real processes, and a stand-in of Lambda that closes a callback
once, which the first portal and the restored one both talk to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from portal.embedded import Engines
from portal.embedded.postgres import _binaries, _env
from portal.supervisor import Program, Supervisor, wait_until
from tests.deploy.recipes import ROOT
from tests.fakes.lambda_api import LambdaApi
from tests.plugins.engines import TEST_ENVIRONMENT

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("deploy")]

SOON = timedelta(seconds=60)
WRITERS = ("north", "south")
#: What must hold of every copy: an answer is owed exactly once for what was decided.
WHOLE = """
SELECT count(*) FILTER (WHERE state = 'approved'),
       count(*) FILTER (WHERE state = 'approved' AND owed = 1 AND votes = 1),
       count(*) FILTER (WHERE state = 'pending' AND owed + votes > 0)
  FROM (SELECT state,
               (SELECT count(*) FROM approvals_callbackdelivery WHERE request_id = r.id) owed,
               (SELECT count(*) FROM approvals_decision WHERE request_id = r.id) votes
          FROM approvals_approvalrequest r) each_one
"""


class Drill:
    """Two databases of one server: the portal's, and an empty one to restore into."""

    def __init__(self, folder: Path, engines: Engines, lambda_api: LambdaApi) -> None:
        self.folder, self.api = folder, lambda_api
        self.redis_url = engines.redis_url
        self.live = engines.database_url
        self.copy = self._new("restored")
        self.dump = folder / "countersign.dump"
        self.supervisor = Supervisor(folder / "logs", say=lambda _: None)
        self.manage(self.live, "migrate", "--no-input", "--verbosity", "0")

    def _new(self, name: str) -> str:
        """An empty database of a role that may do nothing but own it."""
        with psycopg.connect(self.live, autocommit=True) as server:
            server.execute("CREATE ROLE portal LOGIN PASSWORD 'portal'")
            server.execute(f"CREATE DATABASE {name} OWNER portal")
        return f"postgresql://portal:portal@{self.live.rpartition('@')[2].partition('/')[0]}/{name}"

    def env(self, database: str) -> dict[str, str]:
        addresses = {"DATABASE_URL": database, "REDIS_URL": self.redis_url}
        others = {
            "AWS_ENDPOINT_URL_LAMBDA": self.api.url,
            "BASE_URL": "http://localhost",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "LOG_LEVEL": "WARNING",
        }
        return {**_env(), **TEST_ENVIRONMENT, **addresses, **others}

    def manage(self, database: str, *words: str) -> str:
        return self._run(database, [sys.executable, "manage.py", *words])

    def ask(self, database: str, *words: str) -> str:
        return self._run(database, [sys.executable, "-m", "tests.deploy.drill", *words])

    def _run(self, database: str, argv: list[str]) -> str:
        env = self.env(database)
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_writing(self) -> None:
        for name in WRITERS:
            argv = [sys.executable, "-m", "tests.deploy.drill", "write", name]
            env = self.env(self.live)
            self.supervisor.start(Program(name=name, argv=argv, env=env, cwd=ROOT))
            more_than = len(self.decided())
            assert wait_until(lambda n=more_than: len(self.decided()) > n + 20, within=SOON)

    def decided(self) -> set[str]:
        """What the writers have seen committed so far."""
        logs = [self.supervisor.log_of(name) for name in WRITERS]
        texts = [log.read_text(encoding="utf-8") for log in logs if log.exists()]
        return {line for text in texts for line in text.splitlines() if len(line) == 36}

    def take_dump(self) -> None:
        words = ["--format=custom", f"--file={self.dump}", self.live]
        subprocess.run([_binaries() / "pg_dump", *words], env=_env(), check=True)

    def restore(self, database: str) -> subprocess.CompletedProcess[str]:
        """As docs/deploy.md says."""
        words = ["--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={database}"]
        argv = [_binaries() / "pg_restore", *words, self.dump]
        return subprocess.run(argv, env=_env(), capture_output=True, text=True, check=False)

    def rows(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]

    def approved(self, database: str) -> set[str]:
        sql = "SELECT public_id::text FROM approvals_approvalrequest WHERE state = 'approved'"
        return {str(row[0]) for row in self.rows(database, sql)}


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A dump taken in the middle of the writing, restored; the writing went on meanwhile."""
    folder = tmp_path_factory.mktemp("drill")
    with Engines(folder / "engines", durable=False) as engines, LambdaApi() as lambda_api:
        drill = Drill(folder, engines, lambda_api)
        try:
            drill.start_writing()
            yield drill
        finally:
            drill.supervisor.stop()


@pytest.fixture(scope="module")
def before(drill: Drill) -> set[str]:
    """What was decided before the dump began; the dump is restored afterwards."""
    drill.ask(drill.live, "seal")
    known = drill.decided()
    drill.take_dump()
    after = len(drill.decided())
    assert wait_until(lambda: len(drill.decided()) > after + 20, within=SOON)
    return known


@pytest.fixture(scope="module")
def restored(drill: Drill, before: set[str]) -> str:
    done = drill.restore(drill.copy)
    assert done.returncode == 0, done.stderr
    return drill.copy


def test_a_dump_under_load_loses_nothing_decided_before_it(
    drill: Drill, before: set[str], restored: str
) -> None:
    copied = drill.approved(restored)
    assert before <= copied
    assert copied < drill.approved(drill.live), "nobody wrote while the dump was taken"


def test_every_decided_request_of_the_copy_owes_one_answer(drill: Drill, restored: str) -> None:
    ((approved, whole, half_done),) = drill.rows(restored, WHOLE)
    assert approved == whole > 40
    assert half_done == 0


def test_the_copy_needs_no_migration_and_its_ledger_holds(drill: Drill, restored: str) -> None:
    drill.manage(restored, "migrate", "--check")
    assert "histories hold." in drill.manage(restored, "check_audit")
    assert "The ledger holds" in drill.manage(restored, "check_ledger")
    sums = json.loads(drill.manage(restored, "check_ledger", "--json"))["sums"]
    assert sums["requests"]["approved"] == sums["owed"] == sums["answers"]["pending"] > 40
    assert sums["sealed"] > 0, "no checkpoint was in the dump"


def test_what_is_written_in_the_copy_still_stays(drill: Drill, restored: str) -> None:
    with pytest.raises(psycopg.DatabaseError), psycopg.connect(restored) as connection:
        connection.execute("DELETE FROM approvals_decision")


def test_a_dump_restored_onto_the_running_portal_is_refused_whole(
    drill: Drill, before: set[str]
) -> None:
    def owed() -> int:
        ((count,),) = drill.rows(drill.live, "SELECT count(*) FROM approvals_callbackdelivery")
        return int(count)

    done = drill.restore(drill.live)
    at_the_end = owed()

    assert done.returncode != 0
    assert "already exists" in done.stderr
    assert wait_until(lambda: owed() > at_the_end, within=SOON), "the portal went down"
    ((approved, whole, _),) = drill.rows(drill.live, WHOLE)
    assert approved == whole


def test_a_second_restore_into_the_copy_is_refused_whole(drill: Drill, restored: str) -> None:
    held = drill.rows(restored, WHOLE)
    assert "already exists" in drill.restore(restored).stderr
    assert drill.rows(restored, WHOLE) == held


def test_an_answer_aws_took_after_the_dump_is_said_not_to_be_taken_and_has_no_second_effect(
    drill: Drill, restored: str
) -> None:
    drill.supervisor.stop()
    drill.ask(drill.live, "decide")  # also what still waited when the dump was taken
    drill.ask(drill.live, "sweep")
    taken = dict(drill.api.closed)
    assert len(taken) == len(drill.approved(drill.live))

    drill.ask(restored, "sweep")

    assert drill.api.closed == taken
    effects = Counter(
        call.name for call in drill.api.calls if call.taken and call.verb == "succeed"
    )
    assert set(effects.values()) <= {1}
    states = drill.rows(
        restored, "SELECT DISTINCT state, last_reply FROM approvals_callbackdelivery"
    )
    assert states == [("undeliverable", "closed")]
    waiting = "SELECT count(*) FROM approvals_approvalrequest WHERE state = 'pending'"
    assert drill.rows(restored, waiting) == [(0,)], "AWS waits for none of them any more"
    for database in (drill.live, restored):
        assert "The ledger holds" in drill.manage(database, "check_ledger")
