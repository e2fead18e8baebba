"""The engines for real: they take seconds, and what they promise cannot be faked."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis

from portal.embedded import EngineError, Engines, ground, postgres, rank, valkey
from portal.supervisor import Supervisor, wait_until
from tests.portal.processes import alive

SOON = timedelta(seconds=15)

OWN_ENGINES = """
import sys
from portal.embedded import Engines
with Engines(sys.argv[1]) as engines:
    print(*engines.pids.values(), flush=True)
    input()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for the module, with a name that breaks what is not quoted."""
    return tmp_path_factory.mktemp("data") / "it's a 'long' näme"


@pytest.fixture
def engines(folder: Path) -> Iterator[Engines]:
    with Engines(folder, durable=False) as started:
        yield started


def test_rows_and_keys_outlive_a_restart(folder: Path) -> None:
    with Engines(folder) as engines, psycopg.connect(engines.database_url) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 'tea' AS item")
        connection.commit()
        with redis.from_url(engines.redis_url) as client:
            client.set("bell", "rung")

    with Engines(folder) as engines, psycopg.connect(engines.database_url) as connection:
        assert connection.execute("SELECT item FROM orders").fetchall() == [("tea",)]
        with redis.from_url(engines.redis_url) as client:
            assert client.get("bell") == b"rung"


def test_stopping_leaves_no_process(folder: Path) -> None:
    with Engines(folder, durable=False) as engines:
        pids = list(engines.pids.values())
        assert len(pids) == 2
        assert all(map(alive, pids))

    assert not any(map(alive, pids))


def test_a_neighbour_on_the_machine_needs_the_passwords(engines: Engines) -> None:
    password = engines.database_url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(engines.database_url.replace(password, "guess"))

    with redis.from_url(engines.redis_url) as client:
        port = client.connection_pool.connection_kwargs["port"]
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_secrets_are_in_files_only_we_can_read(engines: Engines, folder: Path) -> None:
    for name in ("postgres/password", "valkey/password", "valkey/valkey.conf"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    for name in (".", "postgres", "valkey", "logs"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


def test_a_folder_has_one_owner_at_a_time(engines: Engines, folder: Path) -> None:
    with pytest.raises(EngineError, match="in use by another run"):
        Engines(folder).start()


def test_a_given_server_is_used_and_only_the_other_is_started(tmp_path: Path) -> None:
    with Engines(tmp_path, database_url="postgresql://theirs/db") as engines:
        assert set(engines.pids) == {"valkey"}
        assert engines.database_url == "postgresql://theirs/db"

    with Engines(tmp_path, database_url="postgresql://a/b", redis_url="redis://c/0") as engines:
        assert engines.pids == {}


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(folder: Path) -> None:
    with Engines(folder, durable=False, redis_url="redis://not-needed/0"):
        pass
    pid_file = folder / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{pid_file.parent}\n", encoding="utf-8")

    with Engines(folder, durable=False, redis_url="redis://not-needed/0") as engines:
        assert alive(engines.pids["postgres"])


def test_a_server_that_still_runs_there_is_not_overrun(
    engines: Engines, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GONE_WITHIN", timedelta(0))

    with pytest.raises(EngineError, match=f"process {engines.pids['postgres']}"):
        postgres.Postgres(folder / "postgres", durable=False).prepare()


def test_half_a_cluster_is_never_used(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n", encoding="ascii")

    with Engines(tmp_path, durable=False, redis_url="redis://not-needed/0") as engines:
        psycopg.connect(engines.database_url).close()


def test_an_engine_that_cannot_start_says_why(
    folder: Path, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = psycopg.conninfo.conninfo_to_dict(engines.database_url)["port"]
    monkeypatch.setattr(ground, "free_port", lambda: int(str(taken)))

    with pytest.raises(EngineError, match=r"valkey did not start: .* Its log is"):
        Engines(tmp_path, database_url="postgresql://theirs/db").start()


@pytest.mark.parametrize(("module", "setting"), [(postgres, "DATABASE_URL"), (valkey, "REDIS_URL")])
def test_a_missing_wheel_is_named_with_the_way_out(
    module: object, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)

    with pytest.raises(EngineError, match=f"not installed.*set {setting}"):
        Engines(tmp_path).start()


def test_a_killed_server_comes_back_with_its_rows(folder: Path, tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", say=lambda _: None)
    engines = Engines(folder, redis_url="redis://not-needed/0", supervisor=supervisor)
    try:
        engines.start()
        with psycopg.connect(engines.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE survivors AS SELECT 1 AS one")
        os.kill(supervisor.pids["postgres"], signal.SIGKILL)

        assert supervisor.tend_until(lambda: _count(engines.database_url) == 1, within=SOON)
    finally:
        supervisor.stop()
        engines.stop()


def _count(url: str) -> int:
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM survivors").fetchone()
            return row[0] if row else 0
    except psycopg.OperationalError:
        return 0


def test_engines_end_when_their_owner_is_killed(folder: Path) -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            OWN_ENGINES,
            str(folder),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        owner.kill()

    assert len(pids) == 2
    assert wait_until(lambda: not any(map(alive, pids)), within=SOON)


class TestRoot:
    """PostgreSQL refuses root, so root's prefix is chosen by what the system allows."""

    @pytest.fixture(autouse=True)
    def _root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[int] = []
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(rank, "_give", lambda folder, uid: self.given.append(uid))

    def _allow(self, monkeypatch: pytest.MonkeyPatch, *allowed: str) -> None:
        monkeypatch.setattr(rank, "_works", lambda prefix, *_: prefix[0] in allowed)

    def _owned_by(self, monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
        real = Path.stat

        def owned(path: Path) -> os.stat_result:
            found = list(real(path))
            found[stat.ST_UID] = uid
            return os.stat_result(found)

        monkeypatch.setattr(Path, "stat", owned)

    def test_namespaces_change_no_owner(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self._allow(monkeypatch, "unshare", "setpriv")
        self._owned_by(monkeypatch, 0)

        assert rank.unprivileged(tmp_path, Path("/bin/true"))[:2] == ("unshare", "--user")
        assert self.given == []

    def test_without_namespaces_the_folder_goes_to_nobody(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self._allow(monkeypatch, "setpriv")
        self._owned_by(monkeypatch, 0)

        assert f"--reuid={rank.NOBODY}" in rank.unprivileged(tmp_path, Path("/bin/true"))
        assert self.given == [rank.NOBODY]

    def test_a_folder_of_somebodys_stays_theirs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self._allow(monkeypatch, "unshare", "setpriv")
        self._owned_by(monkeypatch, 1234)

        assert "--reuid=1234" in rank.unprivileged(tmp_path, Path("/bin/true"))

    def test_a_system_that_allows_neither_is_told_so(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self._allow(monkeypatch)

        with pytest.raises(EngineError, match="Run this as an ordinary user"):
            rank.unprivileged(tmp_path, Path("/bin/true"))


class TestOrdinaryUser:
    """A container may run us as a number that no name belongs to; `initdb` wants a name."""

    @pytest.fixture(autouse=True)
    def _ordinary(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid or 1777)

    def test_with_a_name_no_prefix_is_needed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(rank, "_has_name", lambda uid: True)

        assert rank.unprivileged(tmp_path, Path("/bin/true")) == ()

    def test_without_a_name_one_is_lent(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(rank, "_has_name", lambda uid: uid == rank.NOBODY)
        monkeypatch.setattr(rank, "_works", lambda prefix, *_: True)
        monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid)
        monkeypatch.setattr(rank, "_dropped", lambda *_: pytest.fail("a namespace works"))

        assert f"--map-user={rank.NOBODY}" in rank.unprivileged(tmp_path, Path("/bin/true"))

    def test_without_a_name_or_namespaces_the_way_out_is_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(rank, "_has_name", lambda uid: False)
        monkeypatch.setattr(rank, "_works", lambda *_: False)

        with pytest.raises(EngineError, match="needs a user with a name"):
            rank.unprivileged(tmp_path, Path("/bin/true"))
