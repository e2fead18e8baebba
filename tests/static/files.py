"""Where the templates, styles and scripts are, and what they say."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "mail" not in path.parts]
STYLES = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))

_COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def markup(path: Path) -> str:
    """A template without its comments."""
    return _COMMENT.sub("", path.read_text())


def icons_in_sprite() -> set[str]:
    sprite = (STATIC / "vendor" / "lucide-sprite.svg").read_text()
    return set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
