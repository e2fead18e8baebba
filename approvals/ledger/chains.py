"""Histories hold: each line is sealed to the one before, by a key the database never sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from approvals.ledger.scope import Scope
from approvals.ledger.violation import check, sql_check
from approvals.models import ChangeEvent
from approvals.models.audit import line_of
from approvals.models.chain import first_break

_LINES = """
    SELECT r.public_id, e.seq, e.tag, e.at, e.actor_id, e.actor_name, e.facts, e.mac
      FROM {requests} r JOIN approvals_auditevent e ON e.request_id = r.id
     ORDER BY e.request_id, e.seq"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a request's history, without the row around it: there are millions."""

    public_id: UUID
    seq: int
    tag: str
    at: datetime
    actor_id: int | None
    actor_name: str
    facts: Any
    mac: bytes

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Line:
        public_id, seq, tag, at, actor_id, actor_name, facts, mac = row
        return cls(public_id, seq, tag, at, actor_id, actor_name, json.loads(facts), mac)

    def line(self) -> dict[str, Any]:
        return line_of(self.public_id, self)


@sql_check
def histories_are_there() -> str:
    """Every request has a history: no chain was taken away whole."""
    return """
        SELECT r.public_id, 'line 1 of its history is gone, and all others.'
          FROM {requests} r
         WHERE NOT EXISTS (SELECT 1 FROM approvals_auditevent e WHERE e.request_id = r.id)"""


@check
def histories_hold(scope: Scope) -> Iterator[tuple[object, str]]:
    """No line of a request's history was changed, swapped, put in or taken out; only its last
    lines can be missing, which the checkpoints tell."""
    lines = (Line.of(row) for row in scope.rows(_LINES))
    for public_id, chain in groupby(lines, attrgetter("public_id")):
        if number := first_break(chain):
            yield public_id, f"line {number} of its history does not hold."


@check
def changes_hold(_scope: Scope) -> Iterator[tuple[object, str]]:
    """No line of the history of a source or kind was changed, swapped, put in or taken out."""
    lines = ChangeEvent.objects.order_by("subject", "seq").iterator(chunk_size=500)
    for subject, chain in groupby(lines, attrgetter("subject")):
        if number := first_break(chain):
            yield subject, f"line {number} of its history does not hold."
