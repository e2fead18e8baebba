"""What others wrote is here unchanged, with its licence."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from tests.static.files import STATIC

VENDOR = STATIC / "vendor"
MANIFEST: dict[str, Any] = json.loads((VENDOR / "manifest.json").read_text())
FILES = [item for package in MANIFEST["packages"] for item in package["files"]]


def test_every_vendored_file_has_the_hash_it_came_with() -> None:
    for item in FILES:
        digest = hashlib.sha384((VENDOR / item["file"]).read_bytes()).digest()
        assert item["sha384"] == "sha384-" + base64.b64encode(digest).decode(), item["file"]


def test_nothing_is_vendored_without_being_named() -> None:
    present = {path.name for path in VENDOR.iterdir()} - {"manifest.json"}
    assert present == {item["file"] for item in FILES}


def test_every_package_names_its_exact_version_and_brings_its_licence() -> None:
    for package in MANIFEST["packages"]:
        assert package["version"].count(".") == 2, package["name"]
        assert package["licence"]
        assert any("LICENSE" in item["file"] for item in package["files"]), package["name"]


def test_no_vendored_script_asks_for_a_source_map_that_is_not_there() -> None:
    for path in VENDOR.glob("*.js"):
        assert "sourceMappingURL" not in path.read_text(), path.name
