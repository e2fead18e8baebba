"""What a search is made of, and what of a request it is compared with.

Both are cut into words in the same way: at everything that is neither letter nor digit. So
`NO-10428` is found by `no-10428`, by `no 104` and by `10428`. PostgreSQL's own parser would
take -10428 for a number below zero, an address for one word and `<b>` for nothing; and its
dictionaries would need one language for all.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Self
from uuid import UUID

#: Of a longer search, or word, or of more words, only the beginning counts.
LONGEST_SEARCH, LONGEST_WORD, MOST_WORDS = 200, 60, 8

#: Characters of a request that are looked at: of its summary and of the values of its payload.
SUMMARY_CUT, PAYLOAD_CUT = 2_000, 12_000

# The same class for Python and for PostgreSQL: ranges of code points, which no locale moves.
_BETWEEN = (
    r"[\u0001-/:-@\u005b-`\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u23ff\u3000-\u303f"
    r"\uff00-\uff0f\uff1a-\uff20]+"
)
_CUT = re.compile(_BETWEEN)
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


def _folded(text: str) -> str:
    # Plain ASCII, of as many bytes as characters, need not be normalised.
    return (
        f"lower(CASE WHEN octet_length({text}) = length({text}) THEN {text}"
        f" ELSE normalize({text}, NFKC) END)"
    )


# Values of the payload, not the names of its members: those are the same in every order.
_VALUES = r"""
  SELECT string_agg(v #>> '{}', ' ')
    FROM jsonb_path_query(r.payload,
           'strict $.** ? (@.type() == "string" || @.type() == "number")') v"""
_PEOPLE = """
  SELECT string_agg(concat_ws(' ', u.username, u.first_name, u.last_name), ' ')
    FROM approvals_user u
   WHERE u.id IN (SELECT who.user_id FROM approvals_assignment who WHERE who.request_id = r.id
                  UNION ALL
                  SELECT d.reviewer_id FROM approvals_decision d
                   WHERE d.request_id = r.id AND d.retracted_at IS NULL)"""
_TEAMS = """
  SELECT string_agg(g.name, ' ') FROM auth_group g
   WHERE g.id IN (SELECT who.group_id FROM approvals_assignment who WHERE who.request_id = r.id)"""
_SOURCE = (
    "SELECT concat_ws(' ', s.slug, s.name) FROM approvals_callbacksource s WHERE s.id = r.source_id"
)
_EXECUTION = r"""
  SELECT regexp_replace(e.arn, '^.*:function:(.*)/durable-execution/([^/]*).*$', '\1 \2')
    FROM approvals_execution e WHERE e.id = r.execution_id"""

#: SQL: the words of the request `r`, as a tsvector.
WORDS_OF_REQUEST = f"""
(SELECT array_to_tsvector(ARRAY(
          SELECT DISTINCT left(word, {LONGEST_WORD})
            FROM regexp_split_to_table({_folded("said.text")}, '{_BETWEEN}') word
           WHERE word <> ''))
   FROM (SELECT concat_ws(' ', r.title, r.requested_by, r.on_behalf_of, r.agent,
                ({_SOURCE}), ({_EXECUTION}), ({_PEOPLE}), ({_TEAMS}),
                left(r.summary, {SUMMARY_CUT}), left(({_VALUES}), {PAYLOAD_CUT})) AS text
         OFFSET 0) said)"""  # noqa: S608  # nosec B608  our own texts
