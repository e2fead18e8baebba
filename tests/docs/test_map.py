"""The floor plan in docs/architecture.md, the contracts that hold it, and the modules there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What Django asks for by name; nothing imports it.
_DJANGO = {"apps", "migrations"}


def modules() -> set[str]:
    found = {path.stem for path in (ROOT / "approvals").glob("*.py")}
    found |= {path.parent.name for path in (ROOT / "approvals").glob("*/__init__.py")}
    return found - {"__init__"} - _DJANGO


def test_every_module_has_its_floor_in_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    floors = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    named = re.findall(r"approvals\.(\w+)", " ".join(floors))
    assert sorted(named) == sorted(modules())


def test_every_module_stands_on_the_map() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    plan = page.partition("## Floors and doors")[2].split("```")[1]
    # A line names its modules, then, after two blanks or more, says what they are.
    rows = [re.sub(r"^floor \d ", "", line).strip() for line in plan.strip().splitlines()]
    named = re.findall(r"\w+", " ".join(re.split(r" {3,}", row)[0] for row in rows))
    assert sorted(named) == sorted(modules())
