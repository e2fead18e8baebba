"""German is whole: every string has its words, and what is compiled is what was written."""

from __future__ import annotations

import gettext
import re

import pytest

from approvals.locales import LOCALES
from approvals.models.filter import HIGH_RISK, SOME_RISK, Risk
from approvals.templatetags.languages import SCRIPT_WORDS
from tests.languages.catalogue import PO, ROOT, Entry, entries, placeholders, words_of_code

GERMAN = entries()
SAID = re.compile(r"""\bt\(\s*(?:\w+\s*\?\s*)?("[^"]*")(?:\s*:\s*("[^"]*"))?""")
CHOSEN = re.compile(r"""\bt\(\s*[^"()]*\?\s*("[^"]*")\s*:\s*("[^"]*")""")


def test_every_string_of_the_code_has_an_entry_and_every_entry_a_string() -> None:
    known = {entry.key for entry in GERMAN}
    asked = words_of_code()
    assert len(asked) > 1_000
    assert asked - known == set()
    assert known - asked == set()


@pytest.mark.parametrize("entry", GERMAN, ids=lambda entry: entry.msgid[:40])
def test_an_entry_is_translated_with_the_same_placeholders(entry: Entry) -> None:
    assert not entry.is_fuzzy
    assert len(entry.strs) == (2 if entry.plural else 1)
    for text, english in zip(entry.strs, (entry.msgid, entry.plural), strict=False):
        assert text.strip()
        assert set(placeholders(text)) == set(placeholders(english))
        assert re.findall(r"</?[a-z]+", text) == re.findall(r"</?[a-z]+", english)


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = {}
    for entry in GERMAN:
        key = f"{entry.context}\x04{entry.msgid}" if entry.context else entry.msgid
        if entry.plural:
            written |= {(key, number): text for number, text in enumerate(entry.strs)}
        else:
            written[key] = entry.strs[0]
    held = dict(compiled._catalog)  # type: ignore[attr-defined]
    held.pop("", None)
    assert held == written


def test_scripts_say_nothing_that_no_catalogue_is_asked_for() -> None:
    said: set[str] = set()
    for path in (ROOT / "static/js").glob("*.js"):
        source = path.read_text(encoding="utf-8")
        for found in (*SAID.finditer(source), *CHOSEN.finditer(source)):
            said.update(text[1:-1] for text in found.groups() if text)
    assert said == set(SCRIPT_WORDS)


def test_every_language_offered_has_its_ways_with_dates_and_numbers(settings: object) -> None:
    assert set(LOCALES) == set(dict(settings.LANGUAGES))  # type: ignore[attr-defined]


def test_the_words_of_risk_name_its_numbers() -> None:
    assert f"({HIGH_RISK} and more)" in str(Risk.HIGH.label)
    assert f"({SOME_RISK} to {HIGH_RISK - 1})" in str(Risk.SOME.label)
    assert f"below {SOME_RISK}" in str(Risk.LOW.label)
