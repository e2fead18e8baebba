"""Hidden characters come into the open."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from approvals.presentation.text import humanised, visible, visible_line


def test_a_right_to_left_override_is_spelled_out() -> None:
    assert visible("pay \u202e000,01") == "pay [U+202E]000,01"


def test_line_feeds_and_tabs_stay_and_carriage_returns_go() -> None:
    assert visible("a\r\nb\tc\rd") == "a\nb\tc[U+000D]d"


def test_a_lone_surrogate_can_be_encoded_afterwards() -> None:
    assert visible("x\ud800").encode() == b"x[U+D800]"


def test_letters_of_other_scripts_are_left_alone() -> None:
    for text in ("Tromsø €5", "漢字かな", "عربي", "עברית", "ไทย", "Ελλάδα", "✓ 🙂"):
        assert visible(text) == text


def test_every_character_python_calls_control_or_format_is_spelled_out() -> None:
    hidden = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}
    missed = [
        f"{number:04X}"
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(chr(number)) in hidden
        and chr(number) not in "\n\t"
        and visible(chr(number)) == chr(number)
    ]
    assert missed == []


def test_letters_without_ink_are_spelled_out() -> None:
    assert visible("a\u3164b\u2800c") == "a[U+3164]b[U+2800]c"


def test_a_label_never_breaks_its_line() -> None:
    assert visible_line("a\n b\t c") == "a b c"


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("unit_price", "Unit price"),
        ("unitPrice", "Unit price"),
        ("SKU", "SKU"),
        ("order-id", "Order id"),
        ("", "(no name)"),
        ("a\u202eb", "A[U+202E]b"),
    ],
)
def test_a_key_reads_as_words(key: str, label: str) -> None:
    assert humanised(key) == label
