"""Dockerfile: small, without root, and about files that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.recipes import (
    DOCKERFILE,
    INSTRUCTIONS,
    ROOT,
    copied_from_context,
    image_command,
    lay_out,
)

HADOLINT = Path(sys.executable).parent / "hadolint"


def test_the_linter_finds_nothing() -> None:
    words = [HADOLINT, ROOT / "Dockerfile"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_everything_copied_is_in_the_repository_and_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for sources, _ in copied_from_context():
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source.split('/')[0]}" in ignored, source


def test_packages_are_held_to_their_hashes() -> None:
    installs = re.findall(r"pip install (.*)", DOCKERFILE)
    assert len(installs) == 2
    for words in installs:
        assert "--require-hashes" in words
        assert "--only-binary=:all:" in words
        requirements = ROOT / words.split(" -r ")[1]
        assert "--hash=sha256:" in requirements.read_text(encoding="utf-8")


def test_what_runs_is_not_root() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    last_users = [re.findall(r"^USER (.+)$", stage, re.MULTILINE)[-1:] for stage in stages]
    assert [users for users in last_users if users] == [["10001:10001"], ["10001:10001"]]


def test_the_last_stage_is_the_portal_and_not_the_demo() -> None:
    assert [rest for word, rest in INSTRUCTIONS if word == "FROM"][-1] == "portal"


def test_the_base_names_a_version_of_python_we_support() -> None:
    base = next(rest for word, rest in INSTRUCTIONS if word == "FROM")
    version = re.fullmatch(r"python:3\.(\d+)-slim-\w+ AS base", base)
    assert version
    assert int(version[1]) >= 11


def test_no_shell_stands_between_a_signal_and_the_portal() -> None:
    assert image_command()[0] == "granian"
    assert all(rest.startswith("[") for word, rest in INSTRUCTIONS if word in ("CMD", "ENTRYPOINT"))


def test_the_tree_of_the_image_is_enough_to_collect_the_assets(tmp_path: Path) -> None:
    tree = lay_out(tmp_path)
    done = subprocess.run(
        [sys.executable, "scripts/collect_static.py"],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tree / "staticfiles" / "staticfiles.json").is_file()
