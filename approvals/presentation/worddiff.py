"""Two texts word by word: what stayed, what is gone, what is new.

Myers' shortest edit (An O(ND) Difference Algorithm, 1986) over words and what stands between
them, within bounds: where too little is shared, one text replaces the other as a whole.
`static/js/worddiff.js` marks what is being typed in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, TypeAlias

from approvals.presentation.text import visible

Part: TypeAlias = Literal["same", "gone", "new"]
Pair: TypeAlias = "tuple[Part, str]"

#: Words that may differ: the work grows with their square.
MOST_EDITS = 250
#: Comparisons of words, for texts that repeat themselves.
MOST_STEPS = 300_000
#: An unchanged run longer than this is shown by its ends alone, of so many characters.
LONGEST_SAME, KEPT = 400, 120

# Spaces; one sign of a script without spaces; a word with what stands inside it (312.00,
# o'clock, a@b.example); any other sign.
_WORDS = re.compile(
    r"\n|[^\S\n]+|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    r"|[\w\u0300-\u036f]+(?:[.,:'\u2019/@-][\w\u0300-\u036f]+)*|."
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of TEXT; of a long one LEFT_OUT characters are missing between TEXT and REST."""

    part: Part
    text: str
    left_out: int = 0
    rest: str = ""


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """OLD and NEW as one text; what is gone stands before what came in its place."""
    before, after = _WORDS.findall(visible(old)), _WORDS.findall(visible(new))
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    ends = len(before) - tail, len(after) - tail
    pairs = [
        *_all("same", before[:head]),
        *_between(before[head : ends[0]], after[head : ends[1]]),
        *_all("same", before[ends[0] :]),
    ]
    return tuple(_pieces(pairs))


def shortened(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """PIECES without the middle of long runs that stayed."""
    return tuple(_short(piece) if piece.part == "same" else piece for piece in pieces)


def one_side(pieces: Iterable[Piece], part: Part) -> tuple[Piece, ...]:
    """The old text of PIECES (PART is `gone`), or the new one (`new`)."""
    return tuple(piece for piece in pieces if piece.part in ("same", part))


def _all(part: Part, words: Iterable[str]) -> list[Pair]:
    return [(part, word) for word in words]


def _shared(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _between(old: list[str], new: list[str]) -> list[Pair]:
    trace = _walk(old, new)
    if trace is None:
        return [*_all("gone", old), *_all("new", new)]
    return _told(trace, old, new)


def _walk(old: list[str], new: list[str]) -> list[dict[int, int]] | None:
    """How far along each diagonal every number of edits leads; None beyond the bounds."""
    furthest, trace, steps = {1: 0}, [], MOST_STEPS
    for edits in range(min(MOST_EDITS, len(old) + len(new)) + 1):
        trace.append(dict(furthest))
        for line in range(-edits, edits + 1, 2):
            x = furthest[line + 1] if _down(furthest, line, edits) else furthest[line - 1] + 1
            start = x
            while x < len(old) and x - line < len(new) and old[x] == new[x - line]:
                x += 1
            steps -= x - start + 1
            furthest[line] = x
            if x >= len(old) and x - line >= len(new):
                return trace
        if steps < 0:
            break
    return None


def _down(furthest: dict[int, int], line: int, edits: int) -> bool:
    """Whether the diagonal LINE is reached by putting a word in, and not by taking one out."""
    return line == -edits or (line != edits and furthest[line - 1] < furthest[line + 1])


def _told(trace: list[dict[int, int]], old: list[str], new: list[str]) -> list[Pair]:
    """TRACE walked back from its end."""
    pairs: list[Pair] = []
    x, y = len(old), len(new)
    for edits in range(len(trace) - 1, -1, -1):
        down = _down(trace[edits], x - y, edits)
        line = x - y + (1 if down else -1)
        from_x = trace[edits][line]
        from_y = from_x - line
        while x > from_x and y > from_y:
            x, y = x - 1, y - 1
            pairs.append(("same", old[x]))
        if edits:
            pairs.append(("new", new[from_y]) if down else ("gone", old[from_x]))
        x, y = from_x, from_y
    return pairs[::-1]


def _pieces(pairs: list[Pair]) -> Iterator[Piece]:
    """PAIRS in runs; a space between two changed words has changed with them."""
    for changed, run in groupby(_with_spaces(pairs), key=lambda each: each[0] != "same"):
        told = list(run)
        parts: tuple[Part, ...] = ("gone", "new") if changed else ("same",)
        for part in parts:
            text = "".join(word for each, word in told if each == part)
            if text:
                yield Piece(part, text)


def _with_spaces(pairs: list[Pair]) -> Iterator[Pair]:
    last = len(pairs) - 1
    for at, (part, word) in enumerate(pairs):
        alone = 0 < at < last and pairs[at - 1][0] != "same" and pairs[at + 1][0] != "same"
        if part == "same" and alone and word.isspace() and word != "\n":
            yield "gone", word
            yield "new", word
        else:
            yield part, word


def _short(piece: Piece) -> Piece:
    if len(piece.text) <= LONGEST_SAME:
        return piece
    left_out = len(piece.text) - 2 * KEPT
    return replace(piece, text=piece.text[:KEPT], left_out=left_out, rest=piece.text[-KEPT:])
