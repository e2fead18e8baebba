"""What the desk writes, each time in one statement: all of its rows, or none.

How rows travel: lifecycle.columns.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection

from approvals.lifecycle.columns import as_array, as_json, columns_of, listed, row_of
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Decision, HeldAnswer
from approvals.models.sql import Prepared
from approvals.states import CallbackFinding, NoticeKind


def refuse_outer_transaction() -> None:
    """As atomic(durable=True), for what is one statement and therefore opens none itself.

    Raises:
        RuntimeError: a transaction is open, so that its end would decide what is written.
    """
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:
        raise RuntimeError("This writes for good: it cannot stand inside a transaction.")


_REQUEST = [n for n in columns_of(ApprovalRequest) if n not in {"payload", "execution_id"}]

# Its execution: one that has no row yet gets one, whose key is drawn with the request; one
# known from before is looked at soon, last, as everywhere: after the request's own lock.
_NEW_ID = "nextval('approvals_execution_id_seq')"
_STARTED = """
, started AS (
  INSERT INTO approvals_execution (id, source_id, arn, status, next_look_at, looks, trouble)
  SELECT execution_id, source_id, %(new_arn)s::text, 'UNKNOWN', received_at, 0, '' FROM request
)"""
_LOOKED_AT = """
, looked_at AS (
  UPDATE approvals_execution e SET next_look_at = request.received_at FROM request
   WHERE e.id = request.execution_id
)"""
_REQUIRED = """
, required AS (
  INSERT INTO approvals_requirement (request_id, group_id, approvals)
  SELECT request.id, place.group_id, place.approvals FROM request,
         json_to_recordset(%(required)s::json) AS place (group_id bigint, approvals smallint)
)"""
_PROMISED = """
, promised AS (
  INSERT INTO approvals_heartbeat
         (request_id, source_id, "interval", next_beat_at, beats, misses, trouble)
  SELECT id, source_id, heartbeat_timeout_seconds * interval '1 second' / 3,
         received_at, 0, 0, ''
    FROM request
)"""
_VERIFIED = f"""
, verified AS (
  INSERT INTO approvals_callbackcheck (request_id, finding, next_attempt_at, attempts, detail)
  SELECT id, '{CallbackFinding.PENDING}', received_at, 0, '' FROM request
)"""  # noqa: S608  # nosec B608


@cache
def _receive(
    *, started: bool, known: bool, required: bool, promised: bool, verified: bool
) -> Prepared:
    """The statement for a request with those parts; what it lacks is not in the text.

    The request first: whoever finds its callback known writes nothing at all.
    """
    return Prepared(
        f"""
WITH request AS (
  INSERT INTO approvals_approvalrequest ({listed(_REQUEST)}, payload, execution_id)
  SELECT {listed(_REQUEST, "r.")}, r.payload_text::jsonb,
         {_NEW_ID if started else "r.execution_id"}
    FROM json_populate_record(NULL::approvals_approvalrequest, %(request)s::json) r
  ON CONFLICT (callback_sha256) DO NOTHING
  RETURNING id, source_id, execution_id, received_at, queue_at, heartbeat_timeout_seconds
), asked AS (
  INSERT INTO approvals_assignment (request_id, user_id, group_id, open, queue_at)
  SELECT request.id, who.user_id, who.group_id, true, queue_at FROM request,
         (SELECT unnest(%(user_ids)s::bigint[]) AS user_id, NULL::integer AS group_id
          UNION ALL SELECT NULL, unnest(%(group_ids)s::integer[])) who
), told AS (
  INSERT INTO approvals_notice
         (request_id, user_id, kind, state, owed_at, next_attempt_at, attempts, detail)
  SELECT request.id, unnest(%(told)s::bigint[]), '{NoticeKind.ASKED}', 'pending',
         received_at, received_at, 0, '' FROM request
), recorded AS (
  INSERT INTO approvals_auditevent (request_id, seq, tag, at, actor_id, actor_name, facts, mac)
  SELECT request.id, e.seq, e.tag, e.at, e.actor_id, e.actor_name, e.facts, e.mac
    FROM request, json_populate_record(NULL::approvals_auditevent, %(event)s::json) e
){_REQUIRED if required else ""}{_PROMISED if promised else ""}{_VERIFIED if verified else ""}
{_STARTED if started else ""}{_LOOKED_AT if known else ""}
SELECT id, execution_id FROM request"""  # noqa: S608  # nosec B608
    )


def write_received(
    request: ApprovalRequest,
    event: AuditEvent,
    *,
    user_ids: list[int],
    group_ids: list[int],
    required: list[tuple[int, int]],
    told: list[int],
    new_arn: str,
) -> bool:
    """Write REQUEST with all that belongs to it; False, and nothing is, if it is known.

    Its payload is what the database reads in its payload_text: the two cannot differ.
    REQUIRED: pairs of a group's id and its approvals. TOLD: who is told by mail. NEW_ARN:
    an execution that has no row yet; one that has is REQUEST's, and is looked at soon.

    Raises:
        IntegrityError: something it rests on came or went since it was looked up.
    """
    statement = _receive(
        started=bool(new_arn),
        known=bool(request.execution_id) and not new_arn,
        required=bool(required),
        promised=request.heartbeat_timeout_seconds > 0,
        verified=request.source.verify_callbacks and bool(request.execution_id or new_arn),
    )
    written = statement.row(
        request=as_json(row_of(request)),
        event=as_json(row_of(event)),
        user_ids=as_array(user_ids),
        group_ids=as_array(group_ids),
        told=as_array(told),
        required=as_json([{"group_id": pk, "approvals": number} for pk, number in required]),
        new_arn=new_arn,
    )
    if written is None:
        return False
    request.pk, request.execution_id = written
    request._state.adding = False
    return True


# Only a delivery closes: a vote that leaves others to be asked owes AWS nothing yet, nor does
# a decision that is held.
# Whether a mail still makes sense is decided when it is sent (notices.outbox).
_DECIDE = Prepared(
    f"""
WITH given AS MATERIALIZED (
  SELECT %(more)s::jsonb AS more
), decided AS (
  INSERT INTO approvals_decision ({listed([*columns_of(Decision)])})
  SELECT {listed([*columns_of(Decision)], "d.")}
    FROM given, jsonb_populate_record(NULL::approvals_decision, more->'decision') d
  RETURNING id
), closed AS (
  UPDATE approvals_approvalrequest r SET state = more->'decision'->>'verdict',
         closed_at = (more->'decision'->>'decided_at')::timestamptz,
         claimed_by_id = NULL, claimed_until = NULL
    FROM given
   WHERE r.id = %(request)s::bigint AND r.state = 'pending' AND more ? 'delivery'
  RETURNING r.id
), held AS (
  UPDATE approvals_approvalrequest r
     SET held_until = (more->'decision'->>'undo_until')::timestamptz
    FROM given
   WHERE r.id = %(request)s::bigint AND r.state = 'pending' AND r.held_until IS NULL
     AND more ? 'held'
  RETURNING r.id
), frozen AS (
  INSERT INTO approvals_heldanswer (request_id, decision_id, verb, sealed_body)
  SELECT held.id, decided.id, h.verb, h.sealed_body
    FROM held, decided, given, jsonb_populate_record(NULL::approvals_heldanswer, more->'held') h
), shut AS (
  UPDATE approvals_assignment a SET open = false FROM given
   WHERE a.request_id = %(request)s::bigint AND more ? 'delivery'
), owed AS (
  INSERT INTO approvals_callbackdelivery ({listed([*columns_of(CallbackDelivery)])})
  SELECT {listed([*columns_of(CallbackDelivery)], "d.")}
    FROM given, jsonb_populate_record(NULL::approvals_callbackdelivery, more->'delivery') d
   WHERE more ? 'delivery'
), told AS (
  INSERT INTO approvals_notice
         (request_id, user_id, kind, state, owed_at, next_attempt_at, attempts, detail)
  SELECT n.request_id, n.user_id, '{NoticeKind.HANDLED}', 'pending', at.at, at.at, 0, ''
    FROM given, approvals_notice n,
         LATERAL (SELECT (more->'decision'->>'decided_at')::timestamptz AS at) at
   WHERE n.request_id = %(request)s::bigint AND n.kind = '{NoticeKind.ASKED}'
     AND n.user_id <> (more->'decision'->>'reviewer_id')::bigint AND more ? 'delivery'
  ON CONFLICT DO NOTHING
), recorded AS (
  INSERT INTO approvals_auditevent ({listed([*columns_of(AuditEvent)])})
  SELECT {listed([*columns_of(AuditEvent)], "e.")}
    FROM given, jsonb_populate_record(NULL::approvals_auditevent, more->'event') e
)
SELECT (SELECT id FROM decided), (SELECT count(*) FROM closed) + (SELECT count(*) FROM held)"""  # noqa: S608  # nosec B608
)


def write_decided(
    decision: Decision,
    event: AuditEvent,
    delivery: CallbackDelivery | None,
    held: HeldAnswer | None,
) -> None:
    """Write DECISION and its line of history; with DELIVERY, close its request for it.

    With HELD instead, the request stays pending until the decision's `undo_until`.

    The caller holds the request's row lock, in a transaction.

    Raises:
        RuntimeError: the request was not pending; the transaction must not commit.
    """
    more = {"decision": row_of(decision), "event": row_of(event)}
    if delivery:
        more["delivery"] = row_of(delivery)
    if held:
        more["held"] = row_of(held)
    row = _DECIDE.row(request=decision.request_id, more=as_json(more))
    assert row is not None, "a SELECT without FROM has a row"
    decision.pk, moved = row
    decision._state.adding = False
    if moved != bool(delivery or held):
        raise RuntimeError("A decision would have closed what is not open.")
