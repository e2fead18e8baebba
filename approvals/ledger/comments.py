"""What was said stands: each comment is written in history once, and is as history says."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def comments_stand_in_history() -> str:
    """Each comment has one line of history, by the same hand, hour and words (their hash)."""
    return """
        SELECT r.public_id, 'comment ' || c.public_id || ' is not as its history tells it.'
          FROM {requests} r
          JOIN approvals_comment c ON c.request_id = r.id
          LEFT JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'spoken' = c.public_id::text
         GROUP BY r.public_id, c.id
        HAVING count(e.id) <> 1 OR NOT bool_and(
               e.tag = CASE c.kind WHEN 'note' THEN {commented} WHEN 'question' THEN {questioned}
                       ELSE {answered} END
           AND e.actor_id IS NOT DISTINCT FROM c.author_id AND e.at = c.at
           AND e.facts->>'text_sha256' = encode(sha256(convert_to(c.text, 'UTF8')), 'hex')
           AND coalesce(e.facts->>'answered_by', '') = c.answered_by)"""


@sql_check
def comments_in_history_are_there() -> str:
    """Each comment that history tells of is there: none was taken away."""
    return """
        SELECT r.public_id, 'its history tells of comment ' || (e.facts->>'spoken')
               || ', which is gone.'
          FROM {requests} r
          JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'spoken' IS NOT NULL
          LEFT JOIN approvals_comment c
            ON c.request_id = r.id AND c.public_id::text = e.facts->>'spoken'
         WHERE c.id IS NULL"""


@sql_check
def answers_stand_below_their_question() -> str:
    """Each answer belongs to the question that history names, of the same request."""
    return """
        SELECT r.public_id, 'answer ' || c.public_id || ' is not below its question.'
          FROM {requests} r
          JOIN approvals_comment c ON c.request_id = r.id AND c.kind = 'answer'
          JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'spoken' = c.public_id::text
          LEFT JOIN approvals_comment q
            ON q.id = c.answers_id AND q.request_id = r.id AND q.kind = 'question'
         WHERE q.id IS NULL OR q.public_id::text IS DISTINCT FROM e.facts->>'question'"""
