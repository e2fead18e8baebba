"""Which requests hold the words of a search, at a cost that does not grow with the tables.

A word that few requests hold leads straight to them, through an index of words: all that fit
are found (`exact`). A word that thousands hold would lead through all of those first: then the
list is walked as ever, and its nearest WINDOW are looked at one by one. Samples, one request
in SAMPLED, tell which of the two it is; each word is judged by itself, as the index reads all
that begin with a word before it sets two words against each other.

What no sweep has written down yet is looked at as it is, the youngest LINES of history at most.
"""

from __future__ import annotations

from typing import Any

from approvals.models.filter import WINDOW
from approvals.models.indexing import OLD, PLACE
from approvals.models.words import Words
from approvals.states import AuditTag

#: So many of a sample hold a word that leads straight to requests: about 2,000 of all.
FEW = 8
#: Lines of history that are looked through for requests not written down yet.
LINES = 200

_PLACE = (
    "coalesce((SELECT value::bigint FROM approvals_tally"  # noqa: S608  # nosec B608
    f" WHERE name = '{PLACE}' AND label = 'counted'), 0)"
)
_ASKED = "lower(%(asked)s)::tsquery"

_BY_PUBLIC_ID = """
WITH hit AS MATERIALIZED (
  SELECT r.id FROM approvals_approvalrequest r WHERE r.public_id = %(public_id)s
), found AS MATERIALIZED (SELECT true AS exact)"""

#: The two halves of the index. What waits is in `open`; what was closed since, too.
WAITING, EVERYTHING = ("s.open",), ("s.open", "NOT s.open")


def holds(words: Words, request_id: str) -> str:
    """SQL: whether the request of that id holds all of WORDS."""
    if words.public_id:
        return f"""(SELECT r.public_id = %(public_id)s FROM approvals_approvalrequest r
                     WHERE r.id = {request_id})"""  # noqa: S608  # nosec B608
    return f"""coalesce(
      (SELECT s.words @@ {_ASKED} FROM approvals_searchtext s WHERE s.request_id = {request_id}),
      approvals_words_of({request_id}) @@ {_ASKED}, false)"""  # noqa: S608  # nosec B608


def looked_up(words: Words, halves: tuple[str, ...]) -> str:
    """SQL: WITH … `hit (id)`, WINDOW of those that hold WORDS, and `found (exact)`."""
    if words.public_id:
        return _BY_PUBLIC_ID
    judged = " + ".join(
        f"""(SELECT count(*) FROM (
               SELECT 1 FROM approvals_searchtext s
                WHERE {half} AND s.sampled AND s.words @@ w.q LIMIT {FEW + 1}) few)"""  # noqa: S608  # nosec B608
        for half in halves
    )
    # IS TRUE: of that the index is not asked, as it would read all that the common words begin.
    written = " UNION ALL ".join(
        f"""(SELECT s.request_id FROM approvals_searchtext s
              WHERE {half} AND s.words @@ (SELECT rare FROM look) AND (s.words @@ {_ASKED}) IS TRUE
              LIMIT {WINDOW + 1})"""  # noqa: S608  # nosec B608
        for half in halves
    )
    return f"""
WITH word AS MATERIALIZED (
  SELECT w.q, {judged} <= {FEW} AS rare
    FROM (SELECT lower(text)::tsquery AS q FROM unnest(%(queries)s::text[]) text OFFSET 0) w
), look AS MATERIALIZED (
  SELECT string_agg(q::text, ' & ') FILTER (WHERE rare)::tsquery AS rare FROM word
), hit AS MATERIALIZED (
  SELECT request_id AS id FROM ({written}) written
   UNION
  SELECT line.request_id FROM (
         SELECT l.request_id, l.tag FROM approvals_auditevent l
          WHERE l.id > {_PLACE} ORDER BY l.id DESC LIMIT {LINES}) line
   WHERE (SELECT rare FROM look) IS NOT NULL AND line.tag = '{AuditTag.RECEIVED}'
     AND {holds(words, "line.request_id")}
), found AS MATERIALIZED (
  SELECT (SELECT rare FROM look) IS NOT NULL AND (SELECT count(*) FROM hit) <= {WINDOW} AS exact
)"""  # noqa: S608  # nosec B608


#: SQL: 1 where the youngest are not all searchable yet, 2 where the oldest are not, 0, or 3.
LATE = f"""
  (SELECT CASE WHEN EXISTS (SELECT 1 FROM approvals_auditevent l WHERE l.id > {_PLACE}
                             ORDER BY l.id DESC OFFSET {LINES} LIMIT 1) THEN 1 ELSE 0 END
        + CASE WHEN EXISTS (SELECT 1 FROM approvals_tally
                             WHERE name = '{OLD}' AND value > 0) THEN 2 ELSE 0 END)"""  # noqa: S608  # nosec B608


def values_of(words: Words) -> dict[str, Any]:
    """The values of all of these."""
    return {"asked": words.all, "queries": list(words.queries), "public_id": words.public_id}
