"""The words of the code and those of a catalogue, read without gettext's programs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "locale/de/LC_MESSAGES/django.po"
_LINE = re.compile(r'(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")')
_ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
_CALL = re.compile(
    r"\b(_|gettext|ngettext|pgettext|npgettext)\(("
    r'(?:u?(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r"\s*,?\s*)+)",
    re.DOTALL,
)
_TEXT = re.compile(r'u?("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')', re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """MSGID as gettext names it, PLURAL "" where there is none, STRS one for each form."""

    context: str
    msgid: str
    plural: str
    strs: tuple[str, ...]
    is_fuzzy: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.msgid


def entries(path: Path = PO) -> list[Entry]:
    """The entries of a .po file, its header left out."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if match := _LINE.fullmatch(line):
                name = match[1]
                parts[name] = ast.literal_eval(match[2])
            elif line.startswith('"'):
                parts[name] += ast.literal_eval(line)
        if parts.get("msgid"):
            strs = tuple(text for name, text in parts.items() if name.startswith("msgstr"))
            plural = parts.get("msgid_plural", "")
            fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE))
            found.append(Entry(parts.get("msgctxt", ""), parts["msgid"], plural, strs, fuzzy))
    return found


def words_of_code() -> set[tuple[str, str]]:
    """Context and msgid of every string that Python code or a template has translated."""
    found: set[tuple[str, str]] = set()
    for package in ("approvals", "portal"):
        for path in (ROOT / package).rglob("*.py"):
            found.update(_of_python(path.read_text(encoding="utf-8")))
    for path in (ROOT / "templates").rglob("*.*"):
        found.update(_of_template(path.read_text(encoding="utf-8")))
    return found


def _of_python(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        texts = [
            arg.value
            for arg in node.args
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if (node.func.id in _ONE and texts) or (node.func.id == "ngettext" and len(texts) == 2):
            yield "", texts[0]
        elif node.func.id == "pgettext" and len(texts) == 2:
            yield texts[0], texts[1]


def _of_template(source: str) -> Iterator[tuple[str, str]]:
    for call in _CALL.finditer(templatize(source)):
        texts = [ast.literal_eval(text) for text in _TEXT.findall(call[2])]
        if "pgettext" in call[1]:
            yield texts[0], texts[1]
        else:
            yield "", texts[0]


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|\{\w+\}", text))
