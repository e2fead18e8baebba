"""A payload on the page: escaped, guarded, quick."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string

from approvals.presentation import KINDS, present
from approvals.presentation.blocks import Raw
from approvals.presentation.build import BUDGET

HOSTILE = {
    '<img src=x onerror="alert(1)">': '<script>alert(1)</script><b hx-get="/x">',
    "link": 'https://a.example/?x=<script>&y="onx"',
    "list": [{"a": "<i>", "b": "</td>"}, {"a": "&amp;", "b": "'\""}],
    "steps": [{"<b>": {"deep": ["</details>", {"x": "<hr>"}]}}],
    "bidi": "\u202e\ud800",
}


def page_of(payload: object, kind: str | None = None) -> str:
    blocks = present(json.dumps(payload), KINDS[kind] if kind else None)
    return render_to_string("parts/payload.html", {"blocks": blocks})


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}


def test_a_hostile_payload_brings_no_element_and_no_attribute_of_its_own() -> None:
    seen = Elements(page_of(HOSTILE))
    assert not seen.tags & {"script", "img", "b", "i", "hr", "form"}
    assert not {name for name in seen.attributes if name.startswith(("on", "hx-"))} - {"hx-ignore"}


def test_the_page_of_a_hostile_payload_can_be_encoded() -> None:
    page_of(HOSTILE).encode()


def test_everything_a_sender_wrote_stands_inside_hx_ignore() -> None:
    assert page_of({"a": 1}).split("<div", 2)[1].startswith(' class="payload" hx-ignore>')


def test_an_order_reads_as_a_table_with_row_headers() -> None:
    lines = [{"name": "Tent", "price": "689.00"}, {"name": "Bag", "price": "389.00"}]
    html = page_of({"currency": "EUR", "lines": lines}, "order")
    assert '<th scope="row">Tent</th>' in html
    assert '<td class="num"><span class="v-money" title="689.00 EUR">€689.00</span></td>' in html


def test_a_step_shows_its_tool_and_its_tags() -> None:
    html = page_of(
        {"actions": [{"tool": "email.send", "tags": ["leaves the company"]}]}, "agent-action"
    )
    assert "<h3>email.send</h3>" in html
    assert '<span class="tag tag--warn">leaves the company</span>' in html


def test_a_warning_stands_beside_an_amount_that_is_none() -> None:
    html = page_of({"currency": "EUR", "total": "４5"}, "order")
    assert '<span class="v-flag">(no amount)</span>' in html


LARGEST = 128 * 1024 - 2_000
PAYLOADS = {
    "rows": [{"id": n, "name": f"Row {n}", "price": n * 1.5, "on": True} for n in range(2_200)],
    "numbers": list(range(19_000)),
    "members": {f"k{n}": n for n in range(8_000)},
    "nested": {f"k{n}": {"a": {"b": {"c": [1, {"d": n}]}}} for n in range(2_800)},
    "steps": [{"tool": "t", "arguments": {"a": {"x": n}, "b": "text"}} for n in range(1_800)],
    "text": ["lorem ipsum \u202e " * 5_000],
}


@pytest.mark.parametrize("shape", PAYLOADS)
def test_the_largest_payload_draws_a_bounded_page_and_loses_nothing(shape: str) -> None:
    text = json.dumps({"payload": PAYLOADS[shape]})
    assert len(text) > LARGEST * 0.6
    html = page_of({"payload": PAYLOADS[shape]})
    # An element costs about 10 microseconds: some 60 ms for the largest page.
    assert html.count("<") < 10 * BUDGET
    raw = present(text)[-1]
    assert isinstance(raw, Raw)
    if shape != "text":  # whose hidden characters are spelled out
        assert json.loads(raw.text) == {"payload": PAYLOADS[shape]}
