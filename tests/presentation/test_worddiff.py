"""Two texts compared word by word: exact in sum, plain to read, and never slow."""

from __future__ import annotations

import base64
import json
import time
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from approvals.presentation import Piece, one_side, shortened, word_diff
from approvals.presentation.worddiff import KEPT, LONGEST_SAME, Part
from approvals.templatetags.payload import compared, marked
from tests.static.files import STATIC

TEXTS = st.text(alphabet="ab .,\n\t1é日'🙂", max_size=60)


def said(pieces: tuple[Piece, ...]) -> str:
    """As one would write it: [-gone-] {+new+}."""
    marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return "".join(marks[piece.part].format(piece.text) for piece in pieces)


def side(pieces: tuple[Piece, ...], part: Part) -> str:
    return "".join(piece.text for piece in one_side(pieces, part))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("the same", "the same", "the same"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("We paid the full 312.00 to her.", "We paid 280.80, less wear, to her.",
         "We paid [-the full 312.00-]{+280.80, less wear,+} to her."),
        ("one two three", "one 2 three", "one [-two-]{+2+} three"),
        ("12.00", "12.50", "[-12.00-]{+12.50+}"),
        ("It isn't.", "It is.", "It [-isn't-]{+is+}."),
        ("Dear A,\nyes.", "Dear B,\nno.", "Dear [-A-]{+B+},\n[-yes-]{+no+}."),
        ("返金します。", "返品します。", "返[-金-]{+品+}します。"),
        ("a\r\nb", "a\nb", "a\nb"),
    ],
)  # fmt: skip
def test_words_that_changed_are_marked_and_no_others(old: str, new: str, told: str) -> None:
    assert said(word_diff(old, new)) == told


@given(TEXTS, TEXTS)
def test_each_side_reads_as_it_was_written(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert (side(pieces, "gone"), side(pieces, "new")) == (old, new)
    assert all(piece.text and piece.part in get_args(Part) for piece in pieces)
    assert all(a.part != b.part for a, b in pairwise(pieces))


def test_a_character_that_hides_is_spelled_out_where_it_came_in() -> None:
    assert said(word_diff("pay 10", "pay \u202e10")) == "pay {+[U+202E]+}10"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a b " * 16_000, "b a " * 16_000),
        ("word " * 12_000, "other " * 10_000),
        ("x" * 65_000, "y" * 65_000),
        (" ".join(map(str, range(11_000))), " ".join(str(n + (n % 9 == 0)) for n in range(11_000))),
    ],
    ids=["turned", "repeated", "one-word", "many-edits"],
)
def test_texts_as_long_as_a_payload_cost_a_bounded_time(old: str, new: str) -> None:
    began = time.process_time()
    pieces = word_diff(old, new)
    assert time.process_time() - began < 1.0
    assert (side(pieces, "gone"), side(pieces, "new")) == (old, new)


def test_what_stayed_between_two_changes_is_cut_and_says_how_much_is_missing() -> None:
    long = "word " * 200
    pieces = shortened(word_diff(f"A {long}B", f"a {long}b"))
    kept = pieces[2]
    assert (kept.part, kept.left_out) == ("same", len(f" {long}") - 2 * KEPT)
    assert LONGEST_SAME > 2 * KEPT
    assert f"[… {kept.left_out:,} unchanged characters]" in marked(pieces)


def test_marks_are_elements_with_words_and_texts_stay_texts() -> None:
    html = str(compared("<b>old</b> text", "<b>new</b> text"))
    assert html == (
        "&lt;b&gt;"
        '<del><span class="vh">[taken out: </span>old<span class="vh">]</span></del>'
        '<ins><span class="vh">[put in: </span>new<span class="vh">]</span></ins>'
        "&lt;/b&gt; text"
    )


def test_one_side_alone_shows_nothing_of_the_other() -> None:
    pieces = word_diff("one two", "one three")
    assert "three" not in marked(pieces, "gone")
    assert "two" not in marked(pieces, "new")


@pytest.mark.browser
def test_the_browser_marks_the_same_words(chromium: Browser) -> None:
    pairs = [
        ("We paid the full 312.00 to her.", "We paid 280.80, less wear, to her."),
        ("a b c\nd e", "a x c\n\nd f g"),
        ("返金します。", "返品します。"),
        ("it's 10:30 now", "it's 10:45 \u202enow"),
        ("🙂 é", "🙁 é\t"),
        *((f"{n} a {n * 3} b", f"a {n * 2} {n * 3} c b") for n in range(40)),
    ]
    source = base64.b64encode((STATIC / "js/edits.js").read_bytes()).decode()
    page = chromium.new_page()
    found = page.evaluate(
        """async ([source, pairs]) => {
          const edits = await import(`data:text/javascript;base64,${source}`);
          return pairs.map(([old, now]) => edits.wordDiff(old, now));
        }""",
        [source, json.loads(json.dumps(pairs))],
    )
    page.close()
    assert found == [[[p.part, p.text] for p in word_diff(*pair)] for pair in pairs]
