"""The portal can be installed: the manifest is for everybody, true, and all of it is there."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client

from portal.manifest import PAPER

ROOT = Path(__file__).resolve().parents[2]
TOKENS = (ROOT / "static/css/tokens.css").read_text()


def told() -> dict[str, object]:
    answer = Client().get("/manifest.webmanifest")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/manifest+json")
    found: dict[str, object] = json.loads(answer.content)
    return found


def size_of(png: Path) -> str:
    head = png.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return "{}x{}".format(*struct.unpack(">II", head[16:24]))


def test_the_manifest_is_for_everybody_and_kept_by_caches_and_sets_no_cookie() -> None:
    answer = Client().get("/manifest.webmanifest")
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    assert "manifest-src 'self'" in answer["Content-Security-Policy"]


def test_every_icon_is_there_and_as_large_as_it_says() -> None:
    icons = told()["icons"]
    assert isinstance(icons, list)
    for icon in icons:
        path = ROOT / icon["src"].lstrip("/")
        if icon["type"] == "image/png":
            assert size_of(path) == icon["sizes"]
        else:
            assert path.read_text().startswith("<svg")
    assert {icon["purpose"] for icon in icons} == {"any", "maskable"}


@pytest.mark.django_db
def test_it_starts_where_people_start_and_every_shortcut_leads_somewhere() -> None:
    manifest = told()
    shortcuts = manifest["shortcuts"]
    assert isinstance(shortcuts, list)
    for url in (manifest["start_url"], *(each["url"] for each in shortcuts)):
        assert Client().get(url)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("cookie", "colours"),
    [(None, [PAPER, "#161714"]), ("light", [PAPER]), ("dark", ["#161714"])],
)
def test_the_pages_name_the_colour_of_their_paper(cookie: str | None, colours: list[str]) -> None:
    client = Client()
    if cookie:
        client.cookies["scheme"] = cookie
    text = client.get("/accounts/login/").content.decode()
    assert re.findall(r'<meta name="theme-color" content="([^"]+)"', text) == colours


def test_the_colours_are_those_of_the_tokens() -> None:
    assert f"--paper: light-dark({PAPER}, #161714);" in TOKENS


def test_a_page_leads_to_the_manifest_also_when_all_else_has_failed() -> None:
    assert '<link rel="manifest" href="/manifest.webmanifest">' in render_to_string("500.html")
