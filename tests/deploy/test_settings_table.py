"""docs/deploy.md says the settings as portal/env.py reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import Field

from portal.env import Environment
from tests.deploy.recipes import ROOT

PAGE = ROOT / "docs" / "deploy.md"


def test_the_table_is_what_the_script_would_write() -> None:
    words = [sys.executable, ROOT / "scripts" / "settings_table.py", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_setting_that_is_new_makes_the_table_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import settings_table  # noqa: PLC0415  it stands in scripts/, not in a package

    page = PAGE.read_text(encoding="utf-8")
    fields = Environment.model_fields | {"moon_phase": Field(default=4, description="Tides")}
    monkeypatch.setattr(Environment, "__pydantic_fields__", fields)
    assert "| `MOON_PHASE` | `4` | Tides |" in settings_table.with_table(page)


def test_every_setting_stands_there_with_its_meaning() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, field in Environment.model_fields.items():
        assert field.description
        assert f"| `{name.upper()}` |" in page
