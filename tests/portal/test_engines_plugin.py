"""The plugin that starts this very run's engines: what it leaves alone, and what it cleans."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from portal.embedded import ground
from tests.plugins import engines


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _left_over(temporary: Path, name: str, *, seconds_old: float) -> Path:
    folder = temporary / name
    folder.mkdir()
    (folder / "engines.lock").touch()
    then = time.time() - seconds_old
    os.utime(folder, (then, then))
    return folder


def test_the_folder_of_a_run_that_was_killed_is_removed(temporary: Path) -> None:
    folder = _left_over(temporary, f"{engines.PREFIX}old", seconds_old=3600)
    engines._sweep()
    assert not folder.exists()


def test_the_folder_of_a_run_that_still_runs_is_kept(temporary: Path) -> None:
    folder = _left_over(temporary, f"{engines.PREFIX}old", seconds_old=3600)
    with ground.own(folder):
        os.utime(folder, (0, 0))
        engines._sweep()
    assert folder.exists()


def test_the_folder_of_a_run_that_is_just_starting_is_kept(temporary: Path) -> None:
    folder = _left_over(temporary, f"{engines.PREFIX}new", seconds_old=1)
    engines._sweep()
    assert folder.exists()


def test_folders_of_others_are_none_of_our_business(temporary: Path) -> None:
    folder = _left_over(temporary, "somebodys", seconds_old=3600)
    engines._sweep()
    assert folder.exists()


def test_each_worker_has_a_redis_database_of_its_own() -> None:
    url = "redis://:secret@127.0.0.1:6379/0"
    databases = [engines._database_of(f"gw{number}", url) for number in range(3)]
    assert databases == [f"redis://:secret@127.0.0.1:6379/{number}" for number in (1, 2, 3)]
