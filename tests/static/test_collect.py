"""What is deployed: hashed names for every file, nothing referred to that is missing."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import override_settings

from portal import storage as portal_storage
from tests.static.files import STATIC, STYLES

HASHED = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
}


def test_every_file_of_ours_is_collected_under_a_hashed_name(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=HASHED):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    ours = {str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file()}
    assert ours <= set(names)
    assert all((tmp_path / hashed).is_file() for hashed in names.values())


JOINED = {"staticfiles": {"BACKEND": "portal.storage.JoinedStorage"}}


def test_pages_link_one_sheet_that_holds_all_of_them_in_their_order(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=JOINED):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
        linked = re.findall(r'href="/static/([^"]+)"', render_to_string("shell/_styles.html"))
        # once more onto what is there, as at the next upgrade
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
        again = re.findall(r'href="/static/([^"]+)"', render_to_string("shell/_styles.html"))
    assert len(linked) == 1
    assert again == linked
    joined = (tmp_path / linked[0]).read_bytes()
    sheets = [STATIC / name for name in portal_storage.sheets()]
    assert len(sheets) == len(STYLES)
    assert joined == b"\n".join(path.read_bytes() for path in sheets)
    assert gzip.decompress((tmp_path / f"{linked[0]}.gz").read_bytes()) == joined
