"""Each decision was made once, is written in history, and led to where its request stands."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def decisions_have_their_request() -> str:
    """No decision is about a request that is gone."""
    return """
        SELECT 'decision ' || d.public_id, 'its request is gone.'
          FROM approvals_decision d LEFT JOIN approvals_approvalrequest r ON r.id = d.request_id
         WHERE r.id IS NULL"""


@sql_check
def decisions_stand_in_history() -> str:
    """Each decision has exactly one line of history: none was slipped in, none was doubled."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || ' stands in its history '
               || count(e.id) || ' times.'
          FROM {requests} r
          JOIN approvals_decision d ON d.request_id = r.id
          LEFT JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'decision' = d.public_id::text
         GROUP BY r.public_id, d.public_id
        HAVING count(e.id) <> 1"""


@sql_check
def decisions_in_history_are_there() -> str:
    """Each decision that history tells of is there: none was taken away."""
    return """
        SELECT r.public_id, 'its history tells of decision ' || (e.facts->>'decision')
               || ', which is gone.'
          FROM {requests} r
          JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'decision' IS NOT NULL
          LEFT JOIN approvals_decision d
            ON d.request_id = r.id AND d.public_id::text = e.facts->>'decision'
         WHERE d.id IS NULL"""


@sql_check
def decisions_are_as_history_says() -> str:
    """Who decided what, when, through which door and with which words is as history says."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || ' is not as its history tells it.'
          FROM {requests} r
          JOIN approvals_decision d ON d.request_id = r.id
          JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.facts->>'decision' = d.public_id::text
         WHERE e.actor_id IS DISTINCT FROM d.reviewer_id
            OR e.at <> d.decided_at
            OR d.verdict <> coalesce(e.facts->>'verdict', d.verdict)
            OR d.channel <> coalesce(e.facts->>'channel', d.channel)
            OR d.comment <> coalesce(e.facts->>'comment', '')
            OR d.payload_sha256 <> coalesce(e.facts->>'payload_sha256', d.payload_sha256)
            OR d.final_sha256 <> coalesce(e.facts->>'final_payload_sha256', '')
            OR CASE d.edits_text WHEN '' THEN ''
                 ELSE encode(sha256(convert_to(d.edits_text, 'UTF8')), 'hex') END
               <> coalesce(e.facts->>'edits_sha256', '')"""


@sql_check
def what_was_seen_was_decided() -> str:
    """Each decision is about the very payload that the request holds."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || ' is about another payload.'
          FROM {requests} r JOIN approvals_decision d ON d.request_id = r.id
         WHERE d.payload_sha256 <> r.payload_sha256"""


@sql_check
def approvals_are_of_one_payload() -> str:
    """Whoever approved a request approved the same payload, edited alike or not at all."""
    return """
        SELECT r.public_id, 'its approvals are of ' || count(DISTINCT d.edits_text) || ' payloads.'
          FROM {requests} r JOIN approvals_decision d ON d.request_id = r.id
         WHERE d.verdict = 'approved' AND d.cause = 'person' AND d.retracted_at IS NULL
         GROUP BY r.public_id
        HAVING count(DISTINCT d.edits_text) > 1"""


@sql_check
def decisions_fit_the_outcome() -> str:
    """Each request has the decisions that lead to where it stands; none counts that was taken back.

    Approved: as many people as required, or one operator, or a rule. Rejected: one rejection.
    Expired: what the clock decided, unless it lapsed. Withdrawn: votes at most. Pending: votes,
    and what is held.
    """
    return """
        SELECT public_id, 'it is ' || state || ' with ' || votes || ' approvals of '
               || required || ', ' || rejections || ' rejections, ' || forced || ' forced, '
               || clocks || ' by the clock, ' || rules || ' by a rule.'
          FROM (
            SELECT r.public_id, r.state, r.on_timeout,
                   greatest(r.required_approvals, (SELECT sum(approvals)
                     FROM approvals_requirement q WHERE q.request_id = r.id)) AS required,
                   count(DISTINCT d.reviewer_id) FILTER (
                     WHERE d.verdict = 'approved' AND d.cause = 'person') AS votes,
                   count(*) FILTER (
                     WHERE d.verdict = 'rejected' AND d.cause = 'person') AS rejections,
                   count(*) FILTER (WHERE d.cause = 'operator') AS forced,
                   count(*) FILTER (WHERE d.cause = 'operator' AND d.verdict = r.state) AS fitting,
                   count(*) FILTER (WHERE d.cause = 'clock') AS clocks,
                   count(*) FILTER (WHERE d.cause = 'clock' AND d.verdict = CASE r.on_timeout
                     WHEN 'approve' THEN 'approved' ELSE 'rejected' END) AS struck,
                   count(*) FILTER (WHERE d.cause IN ('policy', 'source')) AS rules,
                   count(h.decision_id) FILTER (WHERE d.verdict = 'rejected') AS held
              FROM {requests} r
              LEFT JOIN approvals_decision d ON d.request_id = r.id AND d.retracted_at IS NULL
              LEFT JOIN approvals_heldanswer h ON h.decision_id = d.id
             GROUP BY r.id, r.public_id, r.state, r.on_timeout, r.required_approvals
          ) each_one
         WHERE NOT CASE state
           WHEN 'approved' THEN rejections + clocks = 0 AND (
                (votes >= required AND forced + rules = 0)
             OR (forced = 1 AND fitting = 1 AND rules = 0) OR (rules = 1 AND forced = 0))
           WHEN 'rejected' THEN clocks = 0 AND rejections + forced + rules = 1
                AND fitting = forced
           WHEN 'expired' THEN rejections + forced + rules = 0 AND clocks = struck
                AND clocks = CASE on_timeout WHEN 'lapse' THEN 0 ELSE 1 END
           WHEN 'pending' THEN rejections = held AND forced + clocks + rules = 0
           ELSE rejections + forced + clocks + rules = 0 END"""


@sql_check
def nobody_decided_their_own() -> str:
    """Nobody whom a requester name meant on receipt has decided or forced that request."""
    return """
        SELECT r.public_id, 'decision ' || d.public_id || ' is by who asked for it.'
          FROM {requests} r JOIN approvals_decision d ON d.request_id = r.id
         WHERE d.reviewer_id = ANY (r.wanted_by_ids)"""
