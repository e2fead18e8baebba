"""One order of layers, no foreign addresses, every sheet in use."""

from __future__ import annotations

import re

from tests.static.files import ROOT, STATIC, STYLES, icons_in_sprite

LINKED = re.findall(r"css/([a-z]+\.css)", (ROOT / "templates/shell/_styles.html").read_text())


def test_the_order_of_the_layers_is_declared_once_and_first() -> None:
    declared = [path.name for path in STYLES if re.search(r"@layer [a-z, ]+;", path.read_text())]
    assert declared == ["tokens.css"]
    assert LINKED[0] == "tokens.css"


def test_every_sheet_is_linked_once() -> None:
    assert sorted(LINKED) == [path.name for path in STYLES]


def test_every_rule_stands_in_a_declared_layer() -> None:
    order = re.search(r"@layer ([a-z, ]+);", (STATIC / "css/tokens.css").read_text())
    assert order is not None
    declared = set(order.group(1).split(", "))
    for path in STYLES:
        text = re.sub(r"/\*.*?\*/|@layer [a-z, ]+;", "", path.read_text(), flags=re.DOTALL)
        layers = re.findall(r"^@layer ([a-z]+) \{", text, re.MULTILINE)
        assert layers, path.name
        assert set(layers) <= declared, path.name
        outside = re.findall(r"^[^\s@}].*\{", text, re.MULTILINE)
        assert outside == [], path.name


def test_no_sheet_loads_anything() -> None:
    for path in STYLES:
        assert not re.search(r"url\(|@import|@font-face", path.read_text()), path.name


def test_colours_are_named_once_as_tokens() -> None:
    for path in STYLES:
        if path.name in {"tokens.css", "print.css"}:
            continue
        literal = re.findall(r":\s*#[0-9a-f]{3,8}\b", path.read_text())
        assert literal == [], path.name


def test_every_token_in_use_is_declared() -> None:
    declared = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "css/tokens.css").read_text()))
    for path in STYLES:
        used = set(re.findall(r"var\((--[a-z0-9-]+)\)", path.read_text()))
        assert used <= declared, (path.name, used - declared)


def test_the_sprite_has_a_mark_and_no_style_of_its_own() -> None:
    assert "mark" in icons_in_sprite()
    assert "style" not in (STATIC / "vendor/lucide-sprite.svg").read_text()
