"""How somebody with the database in their hands goes past the portal and its triggers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """SQL done to the request that the house calls OF; {id} is its key, {other} OTHER's.

    FOUND_BY: the check that names it, at the request's public id, or WHERE.
    """

    what: str
    sql: str
    found_by: str
    of: str = "approved"
    other: str = "rejected"
    where: str = ""

    def __str__(self) -> str:
        return self.what


COPY_REQUEST = """
    CREATE TEMP TABLE slip ON COMMIT DROP AS
    SELECT * FROM approvals_approvalrequest WHERE id = {id};
    UPDATE slip SET id = 999999, public_id = gen_random_uuid(), callback_sha256 = repeat('0', 64);
    INSERT INTO approvals_approvalrequest SELECT * FROM slip"""

DOUBLE_DECISION = """
    CREATE TEMP TABLE twin ON COMMIT DROP AS
    SELECT * FROM approvals_decision WHERE request_id = {id};
    UPDATE twin SET id = 999999, public_id = gen_random_uuid(),
           reviewer_id = (SELECT id FROM approvals_user WHERE username = 'rolf');
    INSERT INTO approvals_decision SELECT * FROM twin"""

PUT_IN_A_LINE = """
    INSERT INTO approvals_auditevent (request_id, seq, tag, at, actor_name, facts, mac)
    SELECT request_id, seq + 1, 'execution.seen', at, '', '{{}}', mac
      FROM approvals_auditevent WHERE request_id = {id} ORDER BY seq DESC LIMIT 1"""

SWAP_LINES = """
    UPDATE approvals_auditevent SET seq = 99 WHERE request_id = {id} AND seq = 1;
    UPDATE approvals_auditevent SET seq = 1 WHERE request_id = {id} AND seq = 2;
    UPDATE approvals_auditevent SET seq = 2 WHERE request_id = {id} AND seq = 99"""

SWAP_BETWEEN = """
    UPDATE approvals_auditevent SET request_id = -1 WHERE request_id = {id} AND seq = 2;
    UPDATE approvals_auditevent SET request_id = {id} WHERE request_id = {other} AND seq = 2;
    UPDATE approvals_auditevent SET request_id = {other} WHERE request_id = -1"""

WITH_ALL_OF_IT = """
    DELETE FROM approvals_auditevent WHERE request_id = {id};
    DELETE FROM approvals_decision WHERE request_id = {id};
    DELETE FROM approvals_callbackdelivery WHERE request_id = {id};
    DELETE FROM approvals_assignment WHERE request_id = {id};
    DELETE FROM approvals_notice WHERE request_id = {id};
    DELETE FROM approvals_heartbeat WHERE request_id = {id};
    DELETE FROM approvals_approvalrequest WHERE id = {id}"""

CUT_TAIL = """
    DELETE FROM approvals_auditevent WHERE request_id = {id}
       AND seq = (SELECT max(seq) FROM approvals_auditevent WHERE request_id = {id})"""

SWAP_CALLBACKS = """
    UPDATE approvals_approvalrequest a SET callback_sealed = b.callback_sealed
      FROM approvals_approvalrequest b
     WHERE (a.id, b.id) IN (({id}, {other}), ({other}, {id}))"""

TAKE_CALLBACK = """
    CREATE TEMP TABLE both_of_them ON COMMIT DROP AS
    SELECT id, callback_sha256, callback_sealed FROM approvals_approvalrequest
     WHERE id IN ({id}, {other});
    UPDATE approvals_approvalrequest SET callback_sha256 = 'x' WHERE id = {other};
    UPDATE approvals_approvalrequest r
       SET callback_sha256 = b.callback_sha256, callback_sealed = b.callback_sealed
      FROM both_of_them b WHERE r.id = {id} AND b.id = {other};
    UPDATE approvals_approvalrequest r
       SET callback_sha256 = b.callback_sha256, callback_sealed = b.callback_sealed
      FROM both_of_them b WHERE r.id = {other} AND b.id = {id}"""

SWAP_ANSWERS = """
    UPDATE approvals_callbackdelivery a SET sealed_body = b.sealed_body
      FROM approvals_callbackdelivery b
     WHERE (a.request_id, b.request_id) IN (({id}, {other}), ({other}, {id}))"""
