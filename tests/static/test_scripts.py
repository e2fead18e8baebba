"""Our scripts are small, and say the same as the server."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from approvals.templatetags.moments import remaining, spoken
from tests.static.files import SCRIPTS, STATIC

SECONDS = [0, 0.4, 1, 42, 59, 60, 61, 119, 599, 600, 3_599, 3_600, 3_661, 7_500, 86_399]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_builds_code_or_markup_from_text(path: Path) -> None:
    found = re.search(
        r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|document\.write",
        path.read_text(),
    )
    assert found is None, found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_nothing_because_file_names_are_hashed(path: Path) -> None:
    assert not re.search(r"^import\b|\bimport\(", path.read_text(), re.MULTILINE)


@pytest.mark.browser
def test_the_ticker_says_what_the_server_said(chromium: Browser) -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    aparts = [sign * seconds for seconds in SECONDS for sign in (1, -1)]
    expected = [
        [
            spoken(now + timedelta(seconds=apart), now),
            remaining(now + timedelta(seconds=apart), now),
        ]
        for apart in aparts
    ]
    source = base64.b64encode((STATIC / "js/clock.js").read_bytes()).decode()
    page = chromium.new_page()
    page.add_script_tag(content=(STATIC / "js/shared.js").read_text())
    words = page.evaluate(
        """async ([source, aparts]) => {
          const clock = await import(`data:text/javascript;base64,${source}`);
          return aparts.map((apart) => [clock.spoken(apart), clock.remaining(apart)]);
        }""",
        [source, json.loads(json.dumps(aparts))],
    )
    page.close()
    assert words == expected
