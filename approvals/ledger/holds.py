"""What is decided and held: frozen once, and concluded, taken back or fallen, each once."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def holds_are_whole() -> str:
    """A held request is pending, with a frozen answer for the last decision that stands; for no
    other request is an answer frozen."""
    return """
        SELECT r.public_id::text, CASE WHEN r.held_until IS NULL
                 THEN 'an answer is frozen for it, and it is not held.'
                 ELSE 'it is held, and its last decision is not the one that is frozen.' END
          FROM {requests} r
          LEFT JOIN approvals_heldanswer h ON h.request_id = r.id
          LEFT JOIN approvals_decision d ON d.id = h.decision_id
         WHERE (r.held_until IS NOT NULL OR h.request_id IS NOT NULL)
           AND NOT coalesce(r.state = 'pending' AND r.held_until IS NOT NULL
                 AND d.undo_until IS NOT NULL
                 AND d.id = (SELECT max(s.id) FROM approvals_decision s
                              WHERE s.request_id = r.id AND s.retracted_at IS NULL), false)
         UNION ALL
        SELECT 'row ' || h.request_id, 'an answer is frozen, the request is gone.'
          FROM approvals_heldanswer h LEFT JOIN approvals_approvalrequest r ON r.id = h.request_id
         WHERE r.id IS NULL"""


@sql_check
def holds_end_in_time() -> str:
    """No decision is held for more than a minute after it could be taken back."""
    return """
        SELECT r.public_id, 'it was to be sent at ' || r.held_until || ', and is held still.'
          FROM {requests} r
         WHERE r.state = 'pending' AND r.held_until < now() - interval '1 minute'"""


@sql_check
def holds_end_in_one_way() -> str:
    """Each decision that was held is held still, was taken back, or closed its request with the
    very answer that was frozen."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || ' was held, and did not end in one way, '
               || 'with the answer of its moment.'
          FROM {requests} r
          JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag = {held}
          JOIN approvals_decision d
            ON d.request_id = r.id AND d.public_id::text = e.facts->>'decision'
          LEFT JOIN approvals_heldanswer h ON h.decision_id = d.id
          LEFT JOIN approvals_auditevent c ON c.request_id = r.id AND c.tag IN {closing}
                AND c.facts->>'held' = d.public_id::text
         WHERE (d.retracted_at IS NOT NULL)::int + (h.request_id IS NOT NULL)::int
               + (c.id IS NOT NULL)::int <> 1
            OR c.facts->>'answer_sha256' <> e.facts->>'answer_sha256'"""


@sql_check
def what_was_taken_back_stands_in_history() -> str:
    """Each decision that counts no more has one line of history that says so, at its hour: it
    was taken back by who made it, in time, or fell with its request."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || CASE WHEN d.retracted_at IS NULL
                 THEN ' stands, and its history says it was taken back.'
                 ELSE ' is taken back, and its history does not say so.' END
          FROM {requests} r
          JOIN approvals_decision d ON d.request_id = r.id
          LEFT JOIN approvals_auditevent e ON e.request_id = r.id
                AND e.facts->>'undone' = d.public_id::text
         GROUP BY r.public_id, d.id
        HAVING count(e.id) <> (d.retracted_at IS NOT NULL)::int
            OR max(e.at) <> d.retracted_at
            OR bool_or(e.tag = {undone}
                 AND (e.actor_id IS DISTINCT FROM d.reviewer_id OR e.at > d.undo_until))"""
