"""Sentences that are written down with values in them are read in each reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone, translation
from django.utils.translation import trans_real

from approvals.callbacks import replies
from approvals.callbacks.history import clock
from approvals.models import delivery
from approvals.presentation.sentences import parted, reworded
from tests.languages.catalogue import ROOT, entries

AT = datetime(2026, 11, 21, 12, 1, 3, tzinfo=UTC)
#: Where sentences are written down that pages show, and what speaks to programs alone.
ROOMS = ("callbacks", "lifecycle", "notices")
TO_PROGRAMS = {
    "lifecycle/columns.py",  # an error of ours
    "lifecycle/new_request.py",  # refusals of what a sender asks, as pool
    "lifecycle/outcome.py",  # what the function is told
    "lifecycle/pool.py",
    "notices/question_letter.py",  # a mail to a source
}
#: What the values are, by the words that stand for them in the code.
SAMPLES = {
    "at": [clock(AT), clock(None)],
    "clock(found.ended.at)": [clock(AT), clock(None)],
    "verb": ["succeeded", "failed"],
    "what": ["address", "mail"],
    "code": ["550"],
    "status": ["503"],
    "execution.status": ["TIMED_OUT"],
    "request.title": ["Order 7. It waits"],
    "type(error).__name__": ["ConnectionRefusedError"],
    "why": [delivery.HISTORY_LACKS_IT, delivery.HISTORY_TOO_LONG],
    "HISTORY_UNREADABLE": [delivery.HISTORY_UNREADABLE],
    "answer.detail": [replies.meaning("", 500).detail],
    "past.answer.detail": [replies.meaning("AccessDenied", 403).detail],
    "delivery.detail": [replies.meaning("", 500).detail],
    "untold": ["No execution is known whose history could tell."],
}
#: Codes of AWS, names of Python's errors, and what somebody else wrote.
FOREIGN = re.compile(r"HTTP \d+|AccessDenied|ConnectionRefusedError")


def composed() -> Iterator[tuple[str, str]]:
    """Each sentence that the code puts together, with samples for its values."""
    for room in ROOMS:
        for path in sorted((ROOT / "approvals" / room).rglob("*.py")):
            place = f"{room}/{path.name}"
            if place not in TO_PROGRAMS:
                yield from ((place, text) for text in _composed_in(path))


def _composed_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr) and _is_sentence(node):
            yield from _filled(node.values)


def _is_sentence(node: ast.JoinedStr) -> bool:
    words = "\0".join(part.value for part in node.values if isinstance(part, ast.Constant))
    is_sql = "\n" in words or re.search(r"\b[A-Z]{3,} [A-Z]", words)
    return bool(re.search(r"[a-z] [a-z]{2,}", words)) and not is_sql


def _filled(parts: list[ast.expr]) -> Iterator[str]:
    if not parts:
        yield ""
        return
    first = parts[0]
    if isinstance(first, ast.Constant):
        known = [str(first.value)]
    else:
        assert isinstance(first, ast.FormattedValue)
        known = SAMPLES[ast.unparse(first.value)]
    for rest in _filled(parts[1:]):
        yield from (f"{words}{rest}" for words in known)


SENTENCES = sorted(set(composed()))


@pytest.fixture
def catalogued(monkeypatch: pytest.MonkeyPatch) -> None:
    """German that has each string of the catalogue in brackets, and no other."""
    known = {entry.msgid for entry in entries()}
    german = trans_real.translation("de")
    monkeypatch.setattr(german, "gettext", lambda words: f"⟦{words}⟧" if words in known else words)


def test_the_composers_are_found() -> None:
    places = {place for place, _ in SENTENCES}
    assert places >= {
        "callbacks/findings.py", "callbacks/outbox.py", "lifecycle/checks.py",
        "lifecycle/executions.py", "lifecycle/receive.py", "notices/mail.py",
        "notices/questions.py", "notices/webhook.py",
    }  # fmt: skip
    assert len(SENTENCES) > 20


@pytest.mark.usefixtures("catalogued")
@pytest.mark.parametrize(("place", "text"), SENTENCES)
def test_no_word_of_a_composed_sentence_stays_english(place: str, text: str) -> None:
    with translation.override("de"):
        said = reworded(text)
    inside = re.sub(r"⟦[^⟦⟧]*(?:⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧", "", said)
    assert not re.search(r"[A-Za-z]{2,}", FOREIGN.sub("", inside)), (place, said)


@pytest.mark.parametrize(
    ("text", "german"),
    [
        (
            "The execution ended before an answer: TIMED_OUT.",
            "Die Ausführung endete vor einer Antwort: TIMED_OUT.",
        ),
        (
            f"Answered outside the portal: the callback failed{clock(AT)}.",
            (
                "Außerhalb des Portals beantwortet: "
                "Der Callback ist um 13:01:03 CET am 21. November 2026 fehlgeschlagen."
            ),
        ),
        (
            f"The callback timed out at AWS{clock(AT)}. That was before this answer.",
            (
                "Der Callback ist bei AWS um 13:01:03 CET am 21. November 2026 abgelaufen. "
                "Das war vor dieser Antwort."
            ),
        ),
        ("A newer request took its place: Closed.", "Eine neuere Anfrage ersetzt sie: Closed."),
        ("It answered 503.", "Die Adresse antwortete mit 503."),
        ("Somebody else's words. It answered 503.", "Somebody else's words. It answered 503."),
        ("Approved", "Approved"),
        ("", ""),
    ],
)
def test_what_was_written_down_reads_as_german(text: str, german: str) -> None:
    with translation.override("de"), timezone.override("Europe/Berlin"):
        assert reworded(text) == german


def test_a_time_that_was_written_down_is_told_in_the_readers_zone() -> None:
    text = f"The callback timed out at AWS{clock(AT)}."
    with timezone.override("America/New_York"):
        assert reworded(text) == (
            "The callback timed out at AWS at 07:01:03 EST on 21 November 2026."
        )


@pytest.mark.parametrize(("place", "text"), SENTENCES)
def test_every_time_of_a_composed_sentence_is_told_in_the_readers_zone(
    place: str, text: str
) -> None:
    with timezone.override("Europe/Berlin"):
        said = reworded(text)
    assert " UTC on " not in said, (place, said)
    assert said == text or "CET on 21 November" in said


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "title",
    [
        "Payout cut-off 14:05:09 UTC on 28 November 2026",
        "Batch closed 24:00:00 UTC on 31 June 2026. It answered 503.",
        "the callback timed out at 24:00:00 UTC on 31 June 2026.",
    ],
)
def test_a_time_in_a_senders_title_stays_as_they_wrote_it(language: str, title: str) -> None:
    with translation.override(language), timezone.override("Europe/Berlin"):
        assert reworded(f"A newer request took its place: {title}").endswith(f": {title}")
        assert reworded(title) == title


def test_what_looks_like_a_time_and_is_none_stays() -> None:
    text = "The callback timed out at AWS at 25:61:00 UTC on 99 Foo 2026."
    assert reworded(text) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("HTTP 503: AWS had an error of its own.", ("HTTP 503", "AWS had an error of its own.")),
        ("AccessDenied: Renew them.", ("AccessDenied", "Renew them.")),
        (
            "Answered outside the portal: it failed.",
            ("", "Answered outside the portal: it failed."),
        ),
    ],
)
def test_a_code_is_one_word(text: str, parts: tuple[str, str]) -> None:
    assert parted(text) == parts
