"""What somebody sends who wants to break the page, be misread, or run something in it."""

from __future__ import annotations

import json
from typing import Any

from approvals.policy import Wanting

Paper = dict[str, Any]

#: Each sets a mark on the window if it ever runs; `#ran` would be an element of theirs.
SCRIPTS = [
    "<script>window.ran = 1</script>",
    '<img src=x onerror="window.ran = 1">',
    '"><svg onload="window.ran = 1"><b id=ran>',
    "'><input autofocus onfocus=window.ran=1>",
    "</textarea></pre></title></style><script>window.ran = 1</script>",
    "javascript:window.ran=1",
    "<p hx-get=/ hx-trigger=load hx-on:load='window.ran=1'>",
    "{{ 7 * 7 }}{% debug %}${window.ran=1}",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    '<a href="data:text/html,<script>opener.ran=1</script>">x</a>',
]
MARKDOWN = "\n\n".join(
    [
        *SCRIPTS,
        "[click](javascript:window.ran=1) [or](data:text/html,x) [or](//evil.example) <https://a@b>",
        "![pixel](https://evil.example/pixel.png)",
        "[https://bank.example](https://evil.example/)",
        "# " + "W" * 300,
        "> " * 40 + "deep",
        "- " * 40 + "deeper",
        "`" * 300,
        "|a|b|\n|-|-|\n|" + "x" * 400 + "|y|",
        "*" * 2_000,
        "[" * 2_000,
    ]
)
WORD = "Donaudampfschifffahrtsgesellschaft" * 12
RIGHT_TO_LEFT = "محمد علي يطلب استرداد المبلغ 312.00 EUR من order-77 اليوم"
BIDI = "\u202eyltcerrid ton\u202c, \u2066isolated\u2069, \u200fmark, zero\u200bwidth, \ufeffbom"
EMOJI = "👩🏽‍🚀👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🇳🇴" * 30
NUMBERS = (
    '{"above":9007199254740993,"below":-9007199254740993,"tenth":0.1000,"small":1e-300,'
    '"long":1234567890123456789012345678901234567890,"list":[9007199254740993,1.10]}'
)


def deep(levels: int) -> Any:
    value: Any = {"end": "<script>window.ran = 1</script>"}
    for level in range(levels):
        value = {f"level {level}": value} if level % 2 else [value, level]
    return {"deep": value}


def all_of(text: str) -> Paper:
    """TEXT wherever a sender may write something."""
    line = " ".join(text.split())
    return {
        "title": line[:200],
        "summary": text[:10_000],
        "payload": {
            line[:80]: text,
            "list": [text, line],
            "rows": [{line[:40]: text[:100], "b": line[:60]}] * 3,
            "steps": [{"tool": line[:60], "arguments": {line[:60]: text}, "tags": [line[:40]]}] * 2,
            "actions": [{"tool": line[:60], "arguments": {"x": text}, "tags": [line[:30]]}],
            "reason": text,
        },
        "kind": "agent-action",
        "editable": ["/reason", "/actions/0/arguments/x"],
        "links": [{"label": line[:60], "url": "https://shop.example/?q=%3Cscript%3E"}] * 2,
        "risk": {
            "score": 50,
            "reasons": [{"text": line[:500], "points": 50}],
            "scored_by": line[:200],
        },
        "checks": [{"text": line[:500], "passed": False}],
        "effects": [{"label": line[:200], "before": line[:300], "after": line[:300]}],
        "if_approved": line[:500],
        "if_rejected": line[:500],
        "if_nobody": line[:500],
        "wanting": Wanting(requested_by=line[:200], agent=line[:200]),
        "response_schema": {
            "type": "object",
            "properties": {
                "pick": {"type": "string", "title": line[:200], "enum": [line[:100], "b"]},
                "note": {"type": "string", "description": line[:500], "default": line[:200]},
            },
        },
        "timeout_seconds": 3_600,
    }


HOSTILE: dict[str, Paper] = {
    **{f"script {place}": all_of(text) for place, text in enumerate(SCRIPTS)},
    "markdown": {"title": "Markdown", "summary": MARKDOWN[:10_000], "payload": {"md": MARKDOWN}},
    "long words": all_of(WORD),
    "right to left": all_of(RIGHT_TO_LEFT),
    "bidi controls": all_of(BIDI),
    "emoji": all_of(EMOJI),
    "deep": {"title": "Fifty levels", "payload": deep(50)},
    "numbers": {
        "title": "Numbers",
        "payload": json.loads(NUMBERS),
        "payload_text": NUMBERS,
        "editable": ["/above", "/tenth", "/long"],
    },
    "thousands of rows": {
        "title": "Rows",
        "payload": {"rows": [{"id": n, "name": f"Row {n}", "on": True} for n in range(3_000)]},
    },
    "many columns": {
        "title": "Columns",
        "payload": {"rows": [{f"column {c}": "wide " * 8 for c in range(10)} for _ in range(60)]},
    },
    "one long text": {"title": "Text", "payload": {"text": "word " * 26_000}},
    "one long word": {"title": "Word", "payload": {"text": "x" * 130_000}},
    "many members": {"title": "Members", "payload": {f"key {n}": n for n in range(8_000)}},
}
