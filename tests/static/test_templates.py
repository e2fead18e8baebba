"""What a strict content security policy and untrusted text ask of every template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.static.files import PAGES, ROOT, TEMPLATES, icons_in_sprite, markup, name_of

FORBIDDEN = {
    "an inline style": r"\sstyle\s*=|<style\b",
    "an inline script": r"<script\b(?![^>]*\bsrc=)",
    "an event handler": r"\son[a-z]+\s*=",
    "hx-on, which needs eval": r"\b(?:data-)?hx-on\b",
    "a js: value, which needs eval": r"[\"'\s](?:js|javascript):",
    "a trigger filter, which needs eval": r"hx-trigger=\"[^\"]*\[",
    "hx-disable to guard content, as in htmx 2": r"hx-disable(?=[\s>])",
    "an attribute htmx 4 no longer has": r"hx-(?:disabled-elt|ext|vars|params|history-elt)\b",
    "a script or style of another host": r"(?:src|href)=\"(?:https?:)?//",
    "an image of another host": r"<img\b",
    "text that is not escaped": r"\|\s*safe\b|autoescape off|\|\s*safeseq\b",
}


SAMPLES = {
    "an inline style": '<p style="color: red">',
    "an inline script": "<script>alert(1)</script>",
    "an event handler": '<p onclick="x()">',
    "hx-on, which needs eval": '<p hx-on:click="x()">',
    "a js: value, which needs eval": '<p hx-vals="js:{a: 1}">',
    "a trigger filter, which needs eval": '<p hx-trigger="every 2s [visible()]">',
    "hx-disable to guard content, as in htmx 2": "<p hx-disable>",
    "an attribute htmx 4 no longer has": '<p hx-disabled-elt="this">',
    "a script or style of another host": '<script src="https://cdn.example/x.js"></script>',
    "an image of another host": '<img src="x.png">',
    "text that is not escaped": "{{ payload|safe }}",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_page_holds(what: str) -> None:
    assert re.search(FORBIDDEN[what], SAMPLES[what])
    found = {name_of(path): re.search(FORBIDDEN[what], markup(path)) for path in PAGES}
    assert [(name, hit.group()) for name, hit in found.items() if hit] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_form_that_posts_carries_a_token(path: Path) -> None:
    forms = re.findall(r"<form\b.*?</form>", markup(path), re.DOTALL)
    for form in forms:
        if re.search(r"method=\"post\"", form):
            assert "{% csrf_token %}" in form, name_of(path)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_link_into_a_new_window_leaves_no_way_back(path: Path) -> None:
    for link in re.findall(r"<a\b[^>]*target=[^>]*>", markup(path)):
        assert "noopener" in link, link


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_button_says_what_it_does_when_enter_is_pressed(path: Path) -> None:
    for button in re.findall(r"<button\b[^>]*>", markup(path)):
        assert re.search(r"type=|name=|form", button), f"{name_of(path)}: {button}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_icon_is_in_the_sprite(path: Path) -> None:
    named = set(re.findall(r"{%\s*icon \"([^\"]+)\"", path.read_text()))
    assert named <= icons_in_sprite(), named - icons_in_sprite()


def test_every_icon_of_the_sprite_is_drawn_somewhere() -> None:
    """Each costs every first visit; a name in quotes, in a template or in code, is a use."""
    code = [*PAGES, *(ROOT / "approvals").rglob("*.py"), *(ROOT / "portal").rglob("*.py")]
    quoted = set(re.findall(r"""["']([a-z0-9-]+)["']""", "".join(p.read_text() for p in code)))
    assert icons_in_sprite() - {"mark"} <= quoted, icons_in_sprite() - {"mark"} - quoted


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_an_icon_alone_in_a_button_has_a_name_for_screen_readers(path: Path) -> None:
    for tag, words in re.findall(r"(<button\b[^>]*>)(.*?)</button>", markup(path), re.DOTALL):
        if not re.sub(r"{%\s*icon [^%]*%}", "", words).strip():
            assert "aria-label=" in tag, f"{name_of(path)}: {tag}"
