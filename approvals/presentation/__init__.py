"""From a payload to what a reviewer reads: pure functions, no rows, no HTTP.

`present` turns the original JSON text into blocks (lists of fields, tables, steps)
that `templates/parts/payload.html` renders; `Places` draws single values by their pointers;
`headline_amount` is the sum an approve button names, `sums` what many come to;
`word_diff` compares texts;
`render_markdown` makes safe HTML of a sender's summary. Everything here treats its input as
written by a stranger who wants to be misread.
"""

from __future__ import annotations

from approvals.presentation.build import PAGE_OF_ROWS, Rows, present, present_rows
from approvals.presentation.headline import Money, headline_amount, headline_money, sums
from approvals.presentation.jsontext import indented
from approvals.presentation.kinds import KINDS
from approvals.presentation.markdown import render_markdown
from approvals.presentation.money import format_money
from approvals.presentation.places import Place, Places
from approvals.presentation.settings import Presentation
from approvals.presentation.text import visible
from approvals.presentation.worddiff import Piece, one_side, shortened, word_diff

__all__ = [
    "KINDS",
    "PAGE_OF_ROWS",
    "Money",
    "Piece",
    "Place",
    "Places",
    "Presentation",
    "Rows",
    "format_money",
    "headline_amount",
    "headline_money",
    "indented",
    "one_side",
    "present",
    "present_rows",
    "render_markdown",
    "shortened",
    "sums",
    "visible",
    "word_diff",
]
