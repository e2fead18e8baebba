"""Whoever waits is asked about, kept alive and has a clock; whoever does not, is left alone."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def beats_go_on_while_aws_waits() -> str:
    """Each pending request with a heartbeat timeout is beaten for, unless AWS has closed its
    callback and the history is being asked by whom."""
    return """
        SELECT r.public_id, 'it is pending, and nobody beats for it.'
          FROM {requests} r LEFT JOIN approvals_heartbeat h ON h.request_id = r.id
          LEFT JOIN approvals_callbackcheck c ON c.request_id = r.id AND c.finding = 'closed'
         WHERE r.state = 'pending' AND r.heartbeat_timeout_seconds > 0
           AND h.request_id IS NULL AND c.request_id IS NULL"""


@sql_check
def beats_end_with_the_wait() -> str:
    """Nobody beats for a request whose answer AWS took, or that owes none any more."""
    return """
        SELECT r.public_id, 'it is ' || r.state || ', its answer is '
               || coalesce(d.state, 'not owed') || ', and beats go on.'
          FROM {requests} r
          JOIN approvals_heartbeat h ON h.request_id = r.id
          LEFT JOIN approvals_callbackdelivery d ON d.request_id = r.id
         WHERE NOT (r.state = 'pending' OR coalesce(d.state = 'pending', false)
               OR coalesce(d.state = 'undeliverable' AND d.last_reply = 'refused', false))"""


@sql_check
def beats_go_by_the_requests_source() -> str:
    """Each heartbeat belongs to a request, and to that request's source."""
    return """
        SELECT coalesce(r.public_id::text, 'row ' || h.request_id),
               CASE WHEN r.id IS NULL THEN 'beats go on, the request is gone.'
                    ELSE 'its beats go by another source.' END
          FROM approvals_heartbeat h LEFT JOIN approvals_approvalrequest r ON r.id = h.request_id
         WHERE r.id IS NULL OR h.source_id <> r.source_id"""


@sql_check
def people_are_asked_while_it_is_pending() -> str:
    """A pending request is before somebody, in their queue at its own place; a closed one is
    in nobody's queue."""
    return """
        SELECT r.public_id, CASE WHEN r.state <> 'pending' THEN 'it is ' || r.state
                 || ', and still in a queue.' ELSE 'it is pending, and not where it must be in '
                 || 'the queue of everybody asked.' END
          FROM {requests} r LEFT JOIN approvals_assignment a ON a.request_id = r.id
         GROUP BY r.id, r.public_id, r.state
        HAVING CASE r.state WHEN 'pending'
                 THEN count(a.id) = 0 OR bool_or(NOT a.open OR a.queue_at <> r.queue_at)
                 ELSE coalesce(bool_or(a.open), false) END"""


@sql_check
def deadlines_have_a_clock() -> str:
    """Each pending request that has a deadline has a clock that strikes then; a clock that failed
    to strike is tried again within a minute."""
    return """
        SELECT r.public_id, 'it is pending until ' || r.answer_by || ', and no clock strikes then.'
          FROM {requests} r
         WHERE r.state = 'pending' AND r.answer_by IS NOT NULL
           AND (r.clock_at IS NULL
                OR r.clock_at > greatest(r.answer_by, now()) + interval '1 minute')"""
