"""What a decision is judged by, read while the request's row is locked.

Two statements: one locks, the other looks, so that what it sees (and the clock it reads)
is of after the lock was given, however long that took.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from approvals import policy
from approvals.models import (
    ApprovalRequest,
    CallbackSource,
    Decision,
    Execution,
    RequestKind,
    User,
)
from approvals.models.sql import Prepared, partial
from approvals.models.standing import STANDING_COLUMNS, Standing, standings_from
from approvals.policy import Place

_PARTS: tuple[tuple[str, type[models.Model]], ...] = (
    ("r", ApprovalRequest), ("s", CallbackSource), ("k", RequestKind), ("e", Execution),
    ("c", User),
)  # fmt: skip
_FIELDS = {alias: [f.attname for f in model._meta.concrete_fields] for alias, model in _PARTS}
_FIELDS["c"] = ["id", "username"]
# Django has jsonb come as text.
_AS_TEXT = {
    f"{alias}.{f.attname}"
    for alias, model in _PARTS
    for f in model._meta.concrete_fields
    if isinstance(f, models.JSONField)
}

# NO KEY: history and delivery rows take FOR KEY SHARE on this row and must not wait.
_LOCK = Prepared(
    f"""
SELECT {", ".join(f'{alias}."{name}"' for alias, names in _FIELDS.items() for name in names)}
  FROM approvals_approvalrequest r
  JOIN approvals_callbacksource s ON s.id = r.source_id
  JOIN approvals_requestkind k ON k.id = r.kind_id
  LEFT JOIN approvals_execution e ON e.id = r.execution_id
  LEFT JOIN approvals_user c ON c.id = r.claimed_by_id
 WHERE r.id = %(request)s::bigint
   FOR NO KEY UPDATE OF r"""  # noqa: S608  # nosec B608
)

_HEAR = Prepared(
    f"""
SELECT clock_timestamp(),
  (SELECT json_agg(json_build_array(d.public_id, d.verdict, d.cause, d.channel, d.reviewer_id,
            p.username, d.comment, d."values", d.payload_sha256, d.edits_text, d.final_sha256,
            d.decided_at) ORDER BY d.id)
     FROM approvals_decision d LEFT JOIN approvals_user p ON p.id = d.reviewer_id
    WHERE d.request_id = %(request)s::bigint AND d.retracted_at IS NULL),
  (SELECT json_agg(json_build_array({STANDING_COLUMNS}))
     FROM approvals_user u
    WHERE u.id IN (SELECT %(reviewer)s::bigint UNION ALL SELECT reviewer_id
                     FROM approvals_decision
                    WHERE request_id = %(request)s::bigint AND retracted_at IS NULL)),
  (SELECT json_agg(json_build_array(g.id, g.name, q.approvals) ORDER BY q.id)
     FROM approvals_requirement q JOIN auth_group g ON g.id = q.group_id
    WHERE q.request_id = %(request)s::bigint),
  (SELECT json_build_array(h.seq, encode(h.mac, 'hex')) FROM approvals_auditevent h
    WHERE h.request_id = %(request)s::bigint ORDER BY h.seq DESC LIMIT 1)"""  # noqa: S608  # nosec B608
)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What stands about one request AT this moment.

    FORMER: the decisions on it that stand, oldest first. STANDINGS: of who decided and who would.
    PLACES: what is required. LAST_LINE: number and seal of its history's last line.
    """

    at: datetime
    former: list[Decision]
    standings: dict[int, Standing]
    places: list[Place]
    last_line: tuple[int, bytes]


def lock_whole(request_id: int) -> ApprovalRequest:
    """The request with source, kind, execution and claim; its row locked until the end.

    Raises:
        ApprovalRequest.DoesNotExist: there is none.
    """
    row = _LOCK.row(request=request_id)
    if row is None:
        raise ApprovalRequest.DoesNotExist
    values = iter(row)
    found: dict[str, Any] = {}
    for alias, model in _PARTS:
        names = _FIELDS[alias]
        part = [_python(f"{alias}.{name}", next(values)) for name in names]
        found[alias] = model.from_db("default", names, part) if part[0] is not None else None
    request: ApprovalRequest = found["r"]
    request.source, request.kind = found["s"], found["k"]
    request.execution, request.claimed_by = found["e"], found["c"]
    return request


def _python(place: str, value: Any) -> Any:
    return json.loads(value) if place in _AS_TEXT and value is not None else value


def hear(request: ApprovalRequest, reviewer: User) -> Hearing:
    """What REVIEWER's decision on REQUEST, which is locked, is judged by."""
    row = _HEAR.row(request=request.pk, reviewer=reviewer.pk, source=request.source_id)
    assert row is not None, "a SELECT without FROM has a row"
    at, former, standings, requirements, last = row
    named = [Place(*place) for place in requirements or ()]
    return Hearing(
        at=at,
        former=[_decision(request, columns) for columns in former or ()],
        standings=standings_from(standings or ()),
        places=policy.with_anybody(named, request.required_approvals),
        last_line=(last[0], bytes.fromhex(last[1])),
    )


def _decision(request: ApprovalRequest, columns: Sequence[Any]) -> Decision:
    public_id, verdict, cause, channel, reviewer_id, username, comment, *rest = columns
    values, sha, edits_text, final_sha, at = rest
    reviewer = partial(User, {"id": reviewer_id, "username": username})
    return Decision(
        public_id=UUID(public_id),
        request=request,
        verdict=verdict,
        cause=cause,
        channel=channel,
        reviewer=reviewer if reviewer_id else None,
        comment=comment,
        values=values,
        payload_sha256=sha,
        edits_text=edits_text,
        final_sha256=final_sha,
        decided_at=datetime.fromisoformat(at),
    )
