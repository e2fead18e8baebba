"""scripts/other_servers.py: what CI tries on other servers exists, and never skips."""

from __future__ import annotations

import importlib
import stat
from pathlib import Path
from types import ModuleType

import pytest

from tests.deploy.recipes import ROOT


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("other_servers")


def test_a_server_that_cannot_be_had_fails_and_says_what_to_install(
    servers: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "_find_postgres", lambda: None)
    monkeypatch.setattr(servers, "_find_redis", lambda: Path("/usr/bin/redis-server"))
    monkeypatch.setattr(servers, "_install", lambda: None)
    assert servers.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("PostgreSQL 15 cannot be found")
    assert "install postgresql-15 and redis-server" in said


def test_what_is_missing_is_installed_before_giving_up(
    servers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Path] = []
    monkeypatch.setattr(servers, "_find_postgres", lambda: found[0] if found else None)
    monkeypatch.setattr(servers, "_find_redis", lambda: Path("redis-server"))
    monkeypatch.setattr(servers, "_install", lambda: found.append(Path("bin")))
    assert servers._found() == (Path("bin"), Path("redis-server"))


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", 15),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", 7),
        ("postgres (PostgreSQL) 18.1", 18),
        ("postgres (PostgreSQL) 19beta1", None),
    ],
)
def test_the_version_is_what_the_program_says(
    servers: ModuleType, tmp_path: Path, said: str, major: int | None
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    program.chmod(stat.S_IRWXU)
    assert servers._major(program) == major


def test_a_program_that_is_not_there_has_no_version(servers: ModuleType, tmp_path: Path) -> None:
    assert servers._major(tmp_path / "nothing") is None


def test_the_part_ci_runs_is_there(servers: ModuleType) -> None:
    assert all((ROOT / path).exists() for path in servers.SMOKE)
    assert "make test-servers" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
