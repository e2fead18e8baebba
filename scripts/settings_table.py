"""Write the table of settings in docs/deploy.md from portal/env.py.

python scripts/settings_table.py           # write it
python scripts/settings_table.py --check   # exit status 1 where it is stale
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from portal.env import Environment  # noqa: E402  found by the line above

PAGE = ROOT / "docs" / "deploy.md"
BEGIN = "<!-- settings: written by scripts/settings_table.py -->"
END = "<!-- /settings -->"


def main(*words: str) -> int:
    page = PAGE.read_text(encoding="utf-8")
    fresh = with_table(page)
    if "--check" in words:
        if page != fresh:
            print(f"{PAGE.relative_to(ROOT)} is stale: run python scripts/settings_table.py")
        return int(page != fresh)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def with_table(page: str) -> str:
    """PAGE with the table as it must be now between the two marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} needs the lines {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{table()}\n{END}{tail}"


def table() -> str:
    rows = [_row(name, field) for name, field in Environment.model_fields.items()]
    return "\n".join(["| Name | Default | Meaning |", "| --- | --- | --- |", *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{name.upper()}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`" if field.default else "empty"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
