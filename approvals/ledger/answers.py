"""Each answer is owed exactly where it must be, and stands where its history says."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def answers_have_their_request() -> str:
    """No answer is owed for a request that is gone."""
    return """
        SELECT 'row ' || d.request_id, 'an answer is owed, the request is gone.'
          FROM approvals_callbackdelivery d
          LEFT JOIN approvals_approvalrequest r ON r.id = d.request_id
         WHERE r.id IS NULL"""


@sql_check
def answers_are_owed_where_they_must_be() -> str:
    """Each closed request owes AWS one answer, or none if AWS waits no more or it lapsed; a
    pending one owes none."""
    return """
        SELECT r.public_id, 'it is ' || r.state || CASE WHEN {owes}
                 THEN ', and the answer it owes is gone.' ELSE ', and owes an answer.' END
          FROM {requests} r LEFT JOIN approvals_callbackdelivery d ON d.request_id = r.id
         WHERE (d.id IS NOT NULL) <> {owes}"""


@sql_check
def answers_stand_in_history() -> str:
    """The line that closed a request names the hash of its answer where one is owed."""
    return """
        SELECT r.public_id, CASE WHEN {owes} THEN 'its history names no answer.'
                 ELSE 'its history names an answer that is not owed.' END
          FROM {requests} r
          JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {closing}
         WHERE (e.facts->>'answer_sha256' IS NOT NULL) <> {owes}"""


@sql_check
def answers_say_what_was_decided() -> str:
    """Success or failure, as outcome and `on_reject` or `on_timeout` demand; owed since the
    end, by way of the request's own source."""
    return """
        SELECT r.public_id, CASE WHEN d.verb <> {verb} THEN 'it is ' || r.state
                   || ', and AWS is told to ' || d.verb || ' where it must ' || {verb} || '.'
                 ELSE 'its answer is owed by another source, or since another hour.' END
          FROM {requests} r JOIN approvals_callbackdelivery d ON d.request_id = r.id
         WHERE {owes}
           AND (d.verb <> {verb} OR d.source_id <> r.source_id OR d.owed_at <> r.closed_at)"""


@sql_check
def answers_stand_where_history_says() -> str:
    """Delivered, not taken, unconfirmed or still owed: as the last line about it says."""
    return """
        SELECT public_id, 'its answer is ' || state || ', and its history says '
               || coalesce(tag, 'nothing of it') || '.'
          FROM (
            SELECT DISTINCT ON (r.id) r.public_id, d.state, e.tag
              FROM {requests} r
              JOIN approvals_callbackdelivery d ON d.request_id = r.id
              LEFT JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {sending}
             ORDER BY r.id, e.seq DESC NULLS LAST
          ) last
         WHERE state <> CASE tag WHEN 'delivery.delivered' THEN 'delivered'
                                 WHEN 'delivery.undeliverable' THEN 'undeliverable'
                                 WHEN 'delivery.unconfirmed' THEN 'unconfirmed'
                                 ELSE 'pending' END"""


@sql_check
def attempts_are_counted() -> str:
    """No attempt that history tells of is missing in the count, which is the fencing token;
    what AWS took was sent."""
    return """
        SELECT r.public_id, 'its answer counts ' || d.attempts || ' attempts, its history '
               || coalesce(max((e.facts->>'attempt')::bigint), 0) || '.'
          FROM {requests} r
          JOIN approvals_callbackdelivery d ON d.request_id = r.id
          LEFT JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {sending}
         GROUP BY r.public_id, d.id
        HAVING d.attempts < coalesce(max((e.facts->>'attempt')::bigint), 0)
            OR (d.state = 'delivered' AND d.attempts = 0)"""


@sql_check
def answers_owed_will_be_sent() -> str:
    """The next attempt of each answer comes before its callback expires: none is forgotten."""
    return """
        SELECT r.public_id, 'its answer would not be tried before ' || d.next_attempt_at
               || ', and AWS waits until ' || d.give_up_at || '.'
          FROM {requests} r JOIN approvals_callbackdelivery d ON d.request_id = r.id
         WHERE d.state = 'pending'
           AND d.next_attempt_at > greatest(d.give_up_at, now()) + interval '1 hour'"""
