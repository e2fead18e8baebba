"""What a search is made of.

A search, and a request by the database's function approvals_words_of, are cut into words in the
same way: at everything that is neither letter nor digit. So `NO-10428` is found by `no-10428`,
by `no 104` and by `10428`. PostgreSQL's own parser would take -10428 for a number below zero, an
address for one word and `<b>` for nothing; and its dictionaries would need one language for all.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Self
from uuid import UUID

#: Of a longer search, or word, or of more words, only the beginning counts.
LONGEST_SEARCH, LONGEST_WORD, MOST_WORDS = 200, 60, 8

#: The same class for Python and for PostgreSQL (approvals_words_of, migration 0026): ranges of
#: code points, which no locale moves.
BETWEEN = (
    r"[\u0001-/:-@\u005b-`\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u23ff\u3000-\u303f"
    r"\uff00-\uff0f\uff1a-\uff20]+"
)
_CUT = re.compile(BETWEEN)
# 4,146.50 and 4.146,50 as a page shows them; in a payload such a number has no separators.
_THOUSANDS = re.compile(r"(?<=\d)[,’\u00a0\u202f](?=\d{3}(?!\d))|(?<=\d)\.(?=\d{3}(?:\.\d{3})*,\d)")


# Of an execution's ARN, its function and its own name.
_ARN = re.compile(r"\barn:\S*?:function:([^\s/]+)/durable-execution/([^\s/]+)\S*")
_PUBLIC_ID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a search, each as PostgreSQL's tsquery: its beginning is enough.

    One ASCII character stands for itself alone: beginning with it is half of everything.
    PUBLIC_ID: a request's, or the address of its page, was given; then nothing else counts.
    """

    queries: tuple[str, ...]
    public_id: UUID | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        if named := _PUBLIC_ID.search(text):
            return cls((), UUID(named[0]))
        text = _ARN.sub(r"\1 \2", text)
        plain = unicodedata.normalize("NFKC", _THOUSANDS.sub("", text))
        words = dict.fromkeys(word[:LONGEST_WORD] for word in _CUT.split(plain) if word)
        return cls(tuple(map(_query, list(words)[:MOST_WORDS])))

    @property
    def all(self) -> str:
        return " & ".join(self.queries)

    def __bool__(self) -> bool:
        return bool(self.queries or self.public_id)


def _query(word: str) -> str:
    # No quote and no backslash is left in a word.
    return f"'{word}'" if len(word) == 1 and word.isascii() else f"'{word}':*"


def tidy(text: object) -> str:
    """What was typed into a search, in one line; nothing of it that no page can show."""
    shown = "".join(c if unicodedata.category(c) not in {"Cc", "Cs"} else " " for c in str(text))
    return " ".join(shown.split())[:LONGEST_SEARCH].strip()
