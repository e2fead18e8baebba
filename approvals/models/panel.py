"""What the panel of a request depends on, and whether somebody may see it; one statement.

It is asked every few seconds by every open page, so its plan is kept and nothing of the
request's content is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from approvals.models.delivery import CallbackDelivery
from approvals.models.execution import Execution
from approvals.models.heartbeat import Heartbeat
from approvals.models.request import ApprovalRequest
from approvals.models.sight import sees
from approvals.models.sql import Prepared
from approvals.models.user import User

Row = TypeVar("Row", bound=models.Model)


def _in_order(model: type[models.Model], *names: str) -> tuple[str, ...]:
    """NAMES (attributes, which are the columns here) as from_db expects them."""
    return tuple(f.attname for f in model._meta.concrete_fields if f.attname in names)


_REQUEST = _in_order(
    ApprovalRequest,
    *(
        "id",
        "state",
        "closed_at",
        "held_until",
        "claimed_by_id",
        "claimed_until",
        "answer_by",
        "execution_id",
    ),
)
_DELIVERY = _in_order(
    CallbackDelivery,
    *("id", "state", "attempts", "in_flight", "owed_at", "next_attempt_at", "settled_at"),
)
_EXECUTION = _in_order(Execution, "id", "status", "seen_at")
_HEARTBEAT = _in_order(
    Heartbeat,
    *("request_id", "interval", "next_beat_at", "last_beat_at", "beats", "misses"),
)

_SETTLING = Prepared(
    f"""
SELECT {", ".join(f"r.{name}" for name in _REQUEST)},
       {", ".join(f"d.{name}" for name in _DELIVERY)},
       {", ".join(f"e.{name}" for name in _EXECUTION)},
       {", ".join(f'b."{name}"' for name in _HEARTBEAT)},
       (SELECT array_agg(v.id ORDER BY v.id) FROM approvals_decision v
         WHERE v.request_id = r.id AND v.retracted_at IS NULL),
       (SELECT max(v.undo_until) FROM approvals_decision v
         WHERE v.request_id = r.id AND v.retracted_at IS NULL),
       (SELECT max(a.id) FROM approvals_assignment a WHERE a.request_id = r.id),
       (SELECT c.finding FROM approvals_callbackcheck c WHERE c.request_id = r.id),
       (SELECT h.read_at FROM approvals_executionhistory h WHERE h.execution_id = r.execution_id),
       (SELECT row(max(c.id), sum(q.attempts), max(q.settled_at))::text
          FROM approvals_comment c LEFT JOIN approvals_questiondelivery q ON q.question_id = c.id
         WHERE c.request_id = r.id)
  FROM approvals_approvalrequest r
  LEFT JOIN approvals_callbackdelivery d ON d.request_id = r.id
  LEFT JOIN approvals_execution e ON e.id = r.execution_id
  LEFT JOIN approvals_heartbeat b ON b.request_id = r.id
 WHERE r.public_id = %(public_id)s::uuid
   AND (%(all)s::boolean OR {sees("%(user)s::bigint")})"""  # noqa: S608  # nosec B608
)


@dataclass(frozen=True, slots=True)
class Settling:
    """A request as far as its panel shows it: with its delivery, its execution and its
    heartbeat, and of all four only the columns that move. VOTES: its decisions that stand, by
    key; UNDO_UNTIL: when the last of them can no longer be taken back. ASKED_LAST: its youngest
    assignment, which tells that others were asked. FINDING: what AWS said of
    its callback. READ_AT: when its execution's history was last read. TALK: a word that
    changes with every comment, and with how far its questions have come.
    """

    request: ApprovalRequest
    delivery: CallbackDelivery | None
    execution: Execution | None
    heartbeat: Heartbeat | None
    votes: list[int] | None
    undo_until: datetime | None
    asked_last: int | None
    finding: str | None
    read_at: datetime | None
    talk: str


def settling_of(user: User, public_id: UUID) -> Settling | None:
    """Where the request PUBLIC_ID stands; None if there is none USER may see."""
    everything = user.is_superuser and user.is_active
    row = _SETTLING.row(public_id=public_id, user=user.pk, all=everything)
    if row is None:
        return None
    first, second, third = accumulate(map(len, (_REQUEST, _DELIVERY, _EXECUTION)))
    *columns, votes, undo_until, asked_last, finding, read_at, talk = row
    request = ApprovalRequest.from_db("default", _REQUEST, columns[:first])
    delivery = _joined(CallbackDelivery, _DELIVERY, columns[first:second])
    execution = _joined(Execution, _EXECUTION, columns[second:third])
    heartbeat = _joined(Heartbeat, _HEARTBEAT, columns[third:])
    # None is remembered as well: asking for what is not there must not ask the database.
    request._state.fields_cache |= {"delivery": delivery, "execution": execution}
    moved = (votes, undo_until, asked_last, finding, read_at, talk)
    return Settling(request, delivery, execution, heartbeat, *moved)


def _joined(model: type[Row], names: tuple[str, ...], columns: list[Any]) -> Row | None:
    """The row that was joined, if its key, which comes first, is there."""
    return None if columns[0] is None else model.from_db("default", names, columns)
