"""What others wrote is here unchanged, with its licence: what is served, and what tests use."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.static.files import ROOT, STATIC, name_of

pytestmark = pytest.mark.parametrize(
    "room", [STATIC / "vendor", ROOT / "tests" / "vendor"], ids=name_of
)


def packages(room: Path) -> list[dict[str, Any]]:
    manifest: dict[str, Any] = json.loads((room / "manifest.json").read_text())
    return list(manifest["packages"])


def files(room: Path) -> list[dict[str, str]]:
    return [item for package in packages(room) for item in package["files"]]


def test_every_vendored_file_has_the_hash_it_came_with(room: Path) -> None:
    for item in files(room):
        digest = hashlib.sha384((room / item["file"]).read_bytes()).digest()
        assert item["sha384"] == "sha384-" + base64.b64encode(digest).decode(), item["file"]


def test_nothing_is_vendored_without_being_named(room: Path) -> None:
    present = {path.name for path in room.iterdir()} - {"manifest.json"}
    assert present == {item["file"] for item in files(room)}


def test_every_package_names_its_exact_version_and_brings_its_licence(room: Path) -> None:
    for package in packages(room):
        assert package["version"].count(".") == 2, package["name"]
        assert package["licence"]
        assert any("LICENSE" in item["file"] for item in package["files"]), package["name"]


def test_no_vendored_script_asks_for_a_source_map_that_is_not_there(room: Path) -> None:
    for path in room.glob("*.js"):
        assert "sourceMappingURL" not in path.read_text(), path.name
