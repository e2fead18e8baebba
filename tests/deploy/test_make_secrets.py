"""scripts/make_secrets.py: makes what is missing, private, and never a second time."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from portal.env import read
from tests.deploy.recipes import COMPOSE, ROOT, SERVICES, environment_of

URL = "https://approvals.example.com"


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts" / "make_secrets.py", "--folder", folder, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def dotenv(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_it_makes_every_file_compose_mounts_for_its_owner_alone(tmp_path: Path) -> None:
    assert make(tmp_path, "--base-url", URL).returncode == 0
    for secret in COMPOSE["secrets"].values():
        path = tmp_path / secret["file"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [["--base-url", URL], ["--demo"]])
def test_the_portal_starts_with_what_it_made(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, *words)
    seen = environment_of("web", dotenv(tmp_path), tmp_path / "secrets")
    for name in seen:
        monkeypatch.delenv(name.removesuffix("_FILE"), raising=False)
    for name, value in seen.items():
        monkeypatch.setenv(name, value)
    env = read()
    assert env.base_url == dotenv(tmp_path)["BASE_URL"]
    assert env.behind_proxy is (words != ["--demo"])
    assert env.insecure_http is (words == ["--demo"])
    assert env.database_url.endswith("@postgres:5432/countersign")


def test_a_second_run_keeps_every_key(tmp_path: Path) -> None:
    make(tmp_path, "--base-url", URL)
    before = {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    again = make(tmp_path, "--base-url", URL)
    assert "All is there already." in again.stdout
    assert {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == before


def test_a_secret_that_was_lost_is_made_to_fit_the_others(tmp_path: Path) -> None:
    make(tmp_path, "--base-url", URL)
    (tmp_path / "secrets" / "database_url").unlink()
    make(tmp_path, "--base-url", URL)
    password = (tmp_path / "secrets" / "postgres_password").read_text(encoding="ascii")
    assert password in (tmp_path / "secrets" / "database_url").read_text(encoding="ascii")


@pytest.mark.parametrize("words", [[], ["--base-url", "http://approvals.example.com"]])
def test_without_an_https_address_nothing_is_made(tmp_path: Path, words: list[str]) -> None:
    done = make(tmp_path, *words)
    assert done.returncode == 2
    assert "--base-url https://" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_installations_share_no_key(tmp_path: Path) -> None:
    for name in "ab":
        make(tmp_path / name, "--base-url", URL)
    for name in ("secret_key", "field_keys", "audit_key", "postgres_password"):
        one, other = (tmp_path / which / "secrets" / name for which in "ab")
        assert one.read_bytes() != other.read_bytes()


def test_what_it_makes_is_never_committed_nor_sent_to_a_build() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/secrets/", "/.env", "/aws.env"} <= set(ignored)
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    assert "secrets" not in let_through.replace("no secrets", "")
    assert SERVICES["worker"]["env_file"] == [{"path": "aws.env", "required": False}]
