"""Figures of the last runs in docs/operations/results.md, one block for each storm."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tests.chaos.house import ROOT
from tests.chaos.report import figures
from tests.chaos.run import Aftermath

PAGE = ROOT / "docs" / "operations" / "results.md"


def write(name: str, after: Aftermath) -> None:
    """Put the figures of AFTER in place of the last ones of the storm NAME."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- storm {name} -->", f"<!-- end of storm {name} -->"
    block = f"{begin}\n{_block(name, after)}\n{end}"
    found = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", page, re.DOTALL)
    if found:
        page = page[: found.start()] + block + page[found.end() :]
    else:
        page = f"{page.rstrip()}\n\n{block}\n"
    PAGE.write_text(page, encoding="utf-8")


def _block(name: str, after: Aftermath) -> str:
    rows = [f"| {label} | {figure} |" for label, figure in figures(after).items()]
    title = f"### Storm `{name}`, {datetime.now(UTC):%-d %B %Y}"
    return "\n".join([title, "", "| | |", "| --- | --- |", *rows])
