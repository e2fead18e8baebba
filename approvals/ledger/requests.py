"""Each request is there, and stands where its history says."""

from __future__ import annotations

from approvals.ledger.violation import sql_check


@sql_check
def requests_were_received() -> str:
    """Every request's history begins with the line of its receipt, in the words kept of it:
    the source, the payload's hash, and how many must approve."""
    return """
        SELECT r.public_id, CASE WHEN e.id IS NULL
                 THEN 'its history does not begin with its receipt.'
                 ELSE 'its source, payload or number of approvals is not as received.' END
          FROM {requests} r
          JOIN approvals_callbacksource s ON s.id = r.source_id
          LEFT JOIN approvals_auditevent e
            ON e.request_id = r.id AND e.seq = 1 AND e.tag = {received}
         WHERE e.id IS NULL
            OR (e.facts->>'source', e.facts->>'payload_sha256', e.facts->>'required_approvals')
               IS DISTINCT FROM (s.slug, r.payload_sha256, r.required_approvals::text)"""


@sql_check
def histories_have_their_request() -> str:
    """No line of history speaks of a request that is gone."""
    return """
        SELECT DISTINCT 'row ' || e.request_id, 'its history is here, the request is gone.'
          FROM approvals_auditevent e LEFT JOIN approvals_approvalrequest r ON r.id = e.request_id
         WHERE r.id IS NULL"""


@sql_check
def payloads_are_as_received() -> str:
    """What people decide about has the hash that was written down on receipt."""
    return """
        SELECT r.public_id, 'its payload is not the one it was received with.'
          FROM {requests} r
         WHERE encode(sha256(convert_to(r.payload_text, 'UTF8')), 'hex') <> r.payload_sha256"""


@sql_check
def requirements_are_as_received() -> str:
    """Each request requires as many approvals of named groups as on receipt; an operator may
    only have put another group in a place."""
    return """
        SELECT r.public_id, 'it does not require the approvals of groups it was received with.'
          FROM {requests} r
          JOIN approvals_auditevent e ON e.request_id = r.id AND e.seq = 1
          LEFT JOIN approvals_requirement q ON q.request_id = r.id
         GROUP BY r.id, r.public_id, e.facts
        HAVING coalesce(array_agg(q.approvals ORDER BY q.approvals)
                        FILTER (WHERE q.id IS NOT NULL), '{{}}')
            <> ARRAY(SELECT (place->>1)::smallint
                       FROM jsonb_array_elements(e.facts->'requirements') place ORDER BY 1)"""


@sql_check
def requests_are_closed_once() -> str:
    """A closed request has exactly one line that closed it, and a pending one has none."""
    return """
        SELECT r.public_id, 'it is ' || r.state || ', and its history closes it '
               || count(e.id) || ' times.'
          FROM {requests} r
          LEFT JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {closing}
         GROUP BY r.id, r.public_id, r.state
        HAVING count(e.id) <> CASE r.state WHEN 'pending' THEN 0 ELSE 1 END"""


@sql_check
def requests_stand_where_history_says() -> str:
    """State, hour and reason of the closing are those of the line that closed it."""
    return """
        SELECT r.public_id, 'it is ' || r.state || ' since ' || coalesce(r.closed_at::text, '?')
               || ', and its history says ' || e.tag || ' at ' || e.at || '.'
          FROM {requests} r
          JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {closing}
         WHERE r.closed_at IS DISTINCT FROM e.at
            OR r.state <> CASE e.tag WHEN 'request.forced' THEN e.facts->>'verdict'
                                     ELSE split_part(e.tag, '.', 2) END
            OR r.withdrawal <> coalesce(e.facts->>'why', '')
            OR r.on_timeout <> coalesce(e.facts->>'on_timeout', r.on_timeout)"""


@sql_check
def nothing_was_decided_after_the_end() -> str:
    """No vote, claim, other reviewer or clock came after the line that closed a request."""
    return """
        SELECT r.public_id, 'its history goes on with ' || late.tag || ' after its end.'
          FROM {requests} r
          JOIN approvals_auditevent e ON e.request_id = r.id AND e.tag IN {closing}
          JOIN approvals_auditevent late ON late.request_id = r.id AND late.seq > e.seq
         WHERE late.tag IN {only_while_pending}"""
