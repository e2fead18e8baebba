"""Docs say what is there: settings, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.env import Environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/**/*.md"),
    *ROOT.glob("client/*.md"),
    *ROOT.glob("bench/*.md"),
]


def test_every_setting_is_in_the_operations_page_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Settings")[2].partition("## ")[0]

    assert re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE) == [
        name.upper() for name in Environment.model_fields
    ]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", text)

    for target in filter(None, (link or image for link, image in targets)):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target
