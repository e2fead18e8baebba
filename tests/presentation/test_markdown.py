"""Senders' Markdown does nothing but read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from approvals.presentation.markdown import render_markdown


def elements_of(html: str) -> list[tuple[str, dict[str, str]]]:
    """The elements a browser would see, with their attributes."""
    seen: list[tuple[str, dict[str, str]]] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attrs: seen.append((tag, {k: v or "" for k, v in attrs}))  # type: ignore[method-assign]
    reader.feed(html)
    return seen


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<b hx-get="/x" hx-trigger="load">x</b>',
        "<img src=https://evil.example/p.png>",
        "![beacon](https://evil.example/p.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,xx)",
        "[x](//evil.example)",
        "[x](/requests/1/decide/)",
        "[x](http://plain.example)",
        "[x](https://bank.example@evil.example)",
        "<javascript:alert(1)>",
        '[x](https://a.example "onmouseover=alert(1)")',
        "<style>body{display:none}</style>",
        '<form action="/x"><button>Approve</button></form>',
    ],
)
def test_nothing_but_text_survives(text: str) -> None:
    for tag, attributes in elements_of(render_markdown(text)):
        assert tag in {"p", "a", "span"}
        assert set(attributes) <= {"href", "rel", "class"}
        assert attributes.get("href", "https://evil.example/p.png").startswith("https://")
        assert "bank" not in attributes.get("href", "")


def test_a_link_says_where_it_leads_and_carries_no_authority() -> None:
    html = render_markdown("[Approve](https://evil.example/x)")
    assert 'href="https://evil.example/x"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert '<span class="v-host">evil.example</span>' in html
    assert "target" not in html


def test_each_of_two_links_gets_its_own_host() -> None:
    html = render_markdown("[a](https://one.example) and [b](https://two.example)")
    assert re.findall(r'v-host">([^<]*)<', html) == ["one.example", "two.example"]


def test_a_mail_address_may_be_linked() -> None:
    assert 'href="mailto:desk@shop.example"' in render_markdown("<desk@shop.example>")


def test_headings_stand_below_those_of_the_page() -> None:
    html = render_markdown("# One\n\n###### Six")
    assert "<h3>One</h3>" in html
    assert "<h6>Six</h6>" in html


def test_emphasis_lists_code_and_tables_read_as_such() -> None:
    html = render_markdown("**b** *i* `c`\n\n- x\n\n| a |\n|---|\n| 1 |")
    for piece in ("<strong>b</strong>", "<em>i</em>", "<code>c</code>", "<li>x</li>", "<td>1</td>"):
        assert piece in html


def test_hidden_characters_are_shown() -> None:
    assert "[U+202E]" in render_markdown("pay \u202e00,1")
