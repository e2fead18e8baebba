"""What is planted, and which check names it."""

from __future__ import annotations

from tests.ledger.deeds import (
    COPY_REQUEST,
    CUT_TAIL,
    DOUBLE_DECISION,
    PUT_IN_A_LINE,
    SWAP_ANSWERS,
    SWAP_BETWEEN,
    SWAP_CALLBACKS,
    SWAP_LINES,
    TAKE_CALLBACK,
    WITH_ALL_OF_IT,
    Fault,
)

REQUEST, DECISION = "UPDATE approvals_approvalrequest SET", "UPDATE approvals_decision SET"
DELIVERY, LINE = "UPDATE approvals_callbackdelivery SET", "UPDATE approvals_auditevent SET"
MINE, ITS = "WHERE id = {id}", "WHERE request_id = {id}"

REQUESTS = [
    Fault("a request is gone", f"DELETE FROM approvals_approvalrequest {MINE}",
          "histories_have_their_request", where="row {id}"),
    Fault("a request is gone with its history and all", WITH_ALL_OF_IT,
          "sealed_lines_are_there", where="checkpoint 1"),
    Fault("a request is slipped in", COPY_REQUEST, "sums", where="all"),
    Fault("a pending request is said to be approved",
          f"{REQUEST} state = 'approved', closed_at = now() {MINE}",
          "requests_are_closed_once", of="pending"),
    Fault("an approval is said to be a rejection", f"{REQUEST} state = 'rejected' {MINE}",
          "requests_stand_where_history_says"),
    Fault("a rejection is said to be an approval", f"{REQUEST} state = 'approved' {MINE}",
          "decisions_fit_the_outcome", of="rejected"),
    Fault("a closed request is opened again",
          f"{REQUEST} state = 'pending', closed_at = NULL {MINE}", "requests_are_closed_once"),
    Fault("the hour of the end is moved",
          f"{REQUEST} closed_at = closed_at - interval '1 minute' {MINE}",
          "requests_stand_where_history_says"),
    Fault("another reason for the end", f"{REQUEST} withdrawal = 'closed_at_aws' {MINE}",
          "answers_are_owed_where_they_must_be", of="taken back"),
    Fault("a payload is changed", f"{REQUEST} payload_text = '{{{{\"total\":1}}}}' {MINE}",
          "payloads_are_as_received", of="pending"),
    Fault("a payload is changed with its hash",
          f"{REQUEST} payload_text = '1', payload_sha256 = encode(sha256('1'), 'hex') {MINE}",
          "requests_were_received", of="pending"),
    Fault("fewer approvals are needed", f"{REQUEST} required_approvals = 1 {MINE}",
          "requests_were_received", of="voted"),
    Fault("a required group is forgotten", f"DELETE FROM approvals_requirement {ITS}",
          "requirements_are_as_received", of="required"),
    Fault("a request is put to another source",
          f"{REQUEST} source_id = 0 {MINE}; INSERT INTO approvals_callbacksource "
          "SELECT 0, 'elsewhere', name, active, region, endpoint_url, role_arn, external_id, "
          "function_arns, allow_local_runner, created_at, verify_callbacks "
          "FROM approvals_callbacksource LIMIT 1", "requests_were_received", of="pending"),
    Fault("callbacks of two requests are swapped", SWAP_CALLBACKS, "callbacks_open"),
    Fault("one request is given another's callback, seal and all",
          TAKE_CALLBACK, "terms_are_as_received", of="pending", other="voted"),
    Fault("silence is made an approval", f"{REQUEST} on_timeout = 'approve' {MINE}",
          "terms_are_as_received", of="newest"),
    Fault("other words are put before reviewers", f"{REQUEST} title = 'Lunch' {MINE}",
          "terms_are_as_received", of="pending"),
    Fault("another answer is prepared", f"{REQUEST} approve_with = 'all of it' {MINE}",
          "terms_are_as_received", of="pending"),
    Fault("a callback is made unreadable", f"{REQUEST} callback_sealed = '' {MINE}",
          "callbacks_open", of="pending"),
    Fault("a request is voted on after its end",
          PUT_IN_A_LINE.replace("execution.seen", "request.voted"),
          "nothing_was_decided_after_the_end"),
]  # fmt: skip

DECISIONS = [
    Fault("a decision is gone", f"DELETE FROM approvals_decision {ITS}",
          "decisions_in_history_are_there"),
    Fault("a decision is doubled", DOUBLE_DECISION, "decisions_stand_in_history"),
    Fault("a verdict is swapped", f"{DECISION} verdict = 'rejected' {ITS}",
          "decisions_are_as_history_says"),
    Fault("somebody else decided",
          f"{DECISION} reviewer_id = (SELECT id FROM approvals_user WHERE username = 'rolf') {ITS}",
          "decisions_are_as_history_says"),
    Fault("a comment is put in another's mouth", f"{DECISION} comment = 'Whatever.' {ITS}",
          "decisions_are_as_history_says"),
    Fault("the hour of a decision is moved", f"{DECISION} decided_at = now() {ITS}",
          "decisions_are_as_history_says", of="forced"),
    Fault("a value that was given is changed", f"{DECISION} values = '{{{{\"size\": 9}}}}' {ITS}",
          "answers_are_unchanged"),
    Fault("what was edited is changed",
          f"{DECISION} edits_text = '{{{{\"/total\":1}}}}' {ITS}",
          "decisions_are_as_history_says", of="edited"),
    Fault("an edit is denied", f"{DECISION} edits_text = '', final_sha256 = '' {ITS}",
          "decisions_are_as_history_says", of="edited"),
    Fault("one of two approved another payload",
          f"{DECISION} edits_text = '{{{{\"/total\":1}}}}' WHERE id = "
          f"(SELECT min(id) FROM approvals_decision {ITS})",
          "approvals_are_of_one_payload", of="by two"),
    Fault("a decision is about another payload", f"{DECISION} payload_sha256 = 'f' {ITS}",
          "what_was_seen_was_decided"),
    Fault("a decision is put to another request",
          f"{DECISION} request_id = {{other}} {ITS}", "decisions_in_history_are_there",
          other="pending"),
    Fault("a vote is taken away", f"DELETE FROM approvals_decision {ITS}",
          "decisions_in_history_are_there", of="voted"),
    Fault("one of two approvals is taken away", "DELETE FROM approvals_decision WHERE id = "
          f"(SELECT min(id) FROM approvals_decision {ITS})", "decisions_fit_the_outcome",
          of="by two"),
    Fault("the clock's decision is gone", f"DELETE FROM approvals_decision {ITS}",
          "decisions_fit_the_outcome", of="expired"),
    Fault("who asked for it has decided",
          f"{REQUEST} wanted_by_ids = ARRAY[(SELECT reviewer_id FROM approvals_decision {ITS})] "
          f"{MINE}", "nobody_decided_their_own"),
    Fault("what was decided about is gone", f"DELETE FROM approvals_approvalrequest {MINE}",
          "decisions_have_their_request", where="decision {decision}"),
]  # fmt: skip

ANSWERS = [
    Fault("an answer is forgotten", f"DELETE FROM approvals_callbackdelivery {ITS}",
          "answers_are_owed_where_they_must_be", of="owed"),
    Fault("a delivered answer is forgotten", f"DELETE FROM approvals_callbackdelivery {ITS}",
          "sums", where="all"),
    Fault("an answer is put off for ever",
          f"{DELIVERY} next_attempt_at = next_attempt_at + interval '9 years' {ITS}",
          "answers_owed_will_be_sent", of="owed"),
    Fault("an answer's bytes are changed",
          f"{DELIVERY} sealed_body = sealed_body || '\\x00'::bytea {ITS}",
          "answers_are_unchanged", of="owed"),
    Fault("answers of two requests are swapped", SWAP_ANSWERS, "answers_are_unchanged"),
    Fault("success is made of a failure", f"{DELIVERY} verb = 'succeed' {ITS}",
          "answers_say_what_was_decided", of="rejected"),
    Fault("an answer goes by another source", f"{DELIVERY} source_id = -1 {ITS}",
          "answers_say_what_was_decided", of="owed"),
    Fault("an answer is said to be delivered",
          f"{DELIVERY} state = 'delivered', settled_at = now() {ITS}",
          "answers_stand_where_history_says", of="owed"),
    Fault("a delivered answer is owed again",
          f"{DELIVERY} state = 'pending', settled_at = NULL {ITS}",
          "answers_stand_where_history_says"),
    Fault("a dead answer is said to be delivered", f"{DELIVERY} state = 'delivered' {ITS}",
          "answers_stand_where_history_says", of="unconfirmed"),
    Fault("attempts are forgotten", f"{DELIVERY} attempts = 0 {ITS}",
          "attempts_are_counted", of="retrying"),
    Fault("AWS is owed an answer to what lapsed", "INSERT INTO approvals_callbackdelivery "
          "SELECT 999999, d.verb, d.sealed_body, d.state, d.owed_at, d.next_attempt_at, "
          "d.give_up_at, d.attempts, d.in_flight, d.unknown_attempt, d.last_attempt_at, "
          "d.last_reply, d.detail, d.settled_at, {id}, d.source_id "
          "FROM approvals_callbackdelivery d WHERE request_id = {other}",
          "answers_are_owed_where_they_must_be", of="lapsed"),
    Fault("what is answered is gone", f"DELETE FROM approvals_approvalrequest {MINE}",
          "answers_have_their_request", where="row {id}"),
    Fault("a history names no answer", f"{LINE} facts = facts - 'answer_sha256' {ITS}",
          "answers_stand_in_history"),
]  # fmt: skip

HOLDS = [
    Fault("a held answer is forgotten", f"DELETE FROM approvals_heldanswer {ITS}",
          "holds_are_whole", of="held"),
    Fault("a held request is let go, its answer is not", f"{REQUEST} held_until = NULL {MINE}",
          "holds_are_whole", of="held"),
    Fault("another's decision is frozen", "UPDATE approvals_heldanswer SET decision_id = (SELECT "
          f"id FROM approvals_decision WHERE request_id = {{other}}) {ITS}",
          "holds_are_whole", of="held", other="approved"),
    Fault("what is held is gone", f"DELETE FROM approvals_approvalrequest {MINE}",
          "holds_are_whole", of="held", where="row {id}"),
    Fault("a rejection is forgotten that was held", f"DELETE FROM approvals_heldanswer {ITS}",
          "decisions_fit_the_outcome", of="held rejection"),
    Fault("nobody concludes a hold", f"{REQUEST} held_until = now() - interval '2 min' {MINE}",
          "holds_end_in_time", of="held"),
    Fault("a hold ended with another answer than was frozen",
          f"{LINE} facts = facts || '{{{{\"answer_sha256\": \"f\"}}}}' {ITS} "
          "AND tag = 'request.held'", "holds_end_in_one_way", of="sent after its hold"),
    Fault("a hold ended without a trace", f"{LINE} facts = facts - 'held' {ITS}",
          "holds_end_in_one_way", of="sent after its hold"),
    Fault("a decision that was sent is taken back", f"{DECISION} retracted_at = now() {ITS}",
          "what_was_taken_back_stands_in_history", of="sent after its hold"),
    Fault("what was taken back counts again", f"{DECISION} retracted_at = NULL {ITS}",
          "what_was_taken_back_stands_in_history", of="taken back by rita"),
    Fault("it was taken back too late",
          f"{DECISION} undo_until = decided_at {ITS}",
          "what_was_taken_back_stands_in_history", of="vote taken back"),
    Fault("a held answer's bytes are changed",
          f"UPDATE approvals_heldanswer SET sealed_body = sealed_body || '\\x00'::bytea {ITS}",
          "held_answers_are_unchanged", of="held"),
]  # fmt: skip

WAITING = [
    Fault("a heartbeat is forgotten", f"DELETE FROM approvals_heartbeat {ITS}",
          "beats_go_on_while_aws_waits", of="voted"),
    Fault("beats go on for what AWS took", "UPDATE approvals_heartbeat SET request_id = {id} "
          "WHERE request_id = {other}", "beats_end_with_the_wait", other="newest"),
    Fault("beats go by another source", f"UPDATE approvals_heartbeat SET source_id = 0 {ITS}",
          "beats_go_by_the_requests_source", of="newest"),
    Fault("a pending request is before nobody", f"DELETE FROM approvals_assignment {ITS}",
          "people_are_asked_while_it_is_pending", of="pending"),
    Fault("a pending request is taken out of a queue",
          f"UPDATE approvals_assignment SET open = false {ITS}",
          "people_are_asked_while_it_is_pending", of="pending"),
    Fault("a closed request is put into a queue",
          f"UPDATE approvals_assignment SET open = true {ITS}",
          "people_are_asked_while_it_is_pending"),
    Fault("a deadline has no clock", f"{REQUEST} clock_at = NULL {MINE}",
          "deadlines_have_a_clock", of="voted"),
]  # fmt: skip

HISTORIES = [
    Fault("the last line of a history is cut off", CUT_TAIL, "sealed_lines_are_there",
          where="checkpoint 1"),
    Fault("a claim is cut off, which nothing else tells of", CUT_TAIL, "sealed_lines_are_there",
          of="voted", where="checkpoint 1"),
    Fault("a history is gone", f"DELETE FROM approvals_auditevent {ITS}", "histories_are_there"),
    Fault("the first line is gone", f"DELETE FROM approvals_auditevent {ITS} AND seq = 1",
          "histories_hold"),
    Fault("a line within is gone", f"DELETE FROM approvals_auditevent {ITS} AND seq = 2",
          "histories_hold"),
    Fault("a line tells another fact",
          f"{LINE} facts = facts || '{{{{\"comment\": \"Fine.\"}}}}' {ITS} AND seq = 2",
          "histories_hold"),
    Fault("a line is of nothing", f"{LINE} facts = 'null' {ITS} AND seq = 1", "histories_hold"),
    Fault("a line has facts of another type",
          f"{LINE} facts = jsonb_set(facts, '{{{{attempt}}}}', '\"x\"') {ITS} AND seq = 3",
          "histories_hold"),
    Fault("a line names somebody else", f"{LINE} actor_name = 'bert' {ITS} AND seq = 2",
          "histories_hold"),
    Fault("a line is of another hour", f"{LINE} at = at - interval '1 s' {ITS} AND seq = 1",
          "histories_hold"),
    Fault("a line says that something else happened",
          f"{LINE} tag = 'delivery.delivered' {ITS} AND seq = 3", "histories_hold",
          of="unconfirmed"),
    Fault("two lines are swapped", SWAP_LINES, "histories_hold"),
    Fault("lines of two histories are swapped", SWAP_BETWEEN, "histories_hold"),
    Fault("a line is put in", PUT_IN_A_LINE, "histories_hold"),
    Fault("a change of a source is rewritten",
          "UPDATE approvals_changeevent SET actor_name = 'bert' WHERE seq = 1",
          "changes_hold", where="source:orders"),
    Fault("a change of a source is gone", "DELETE FROM approvals_changeevent WHERE seq = 1",
          "changes_hold", where="source:orders"),
]  # fmt: skip

CHECKPOINTS = [
    Fault("the first checkpoint is gone", "DELETE FROM approvals_auditcheckpoint WHERE id = 1",
          "checkpoints_hold", where="checkpoint 2"),
    Fault("the last checkpoint is gone", "DELETE FROM approvals_auditcheckpoint WHERE id = 2",
          "nothing_is_left_unsealed", where="checkpoints"),
    Fault("all checkpoints are gone", "DELETE FROM approvals_auditcheckpoint",
          "nothing_is_left_unsealed", where="checkpoints"),
    Fault("a checkpoint covers fewer lines",
          "UPDATE approvals_auditcheckpoint SET events = events - 1 WHERE id = 1",
          "checkpoints_hold", where="checkpoint 1"),
    Fault("a checkpoint is of another hour", "UPDATE approvals_auditcheckpoint SET at = now()",
          "checkpoints_hold", where="checkpoint 2"),
]  # fmt: skip

COMMENT, TALK = "UPDATE approvals_comment SET", "talked about"
COMMENTS = [
    Fault(
        "what was said is changed",
        f"{COMMENT} text = 'I did not.' {ITS} AND kind = 'note'",
        "comments_stand_in_history",
        of=TALK,
    ),
    Fault(
        "an answer is put in another's mouth",
        f"{COMMENT} answered_by = 'Eve' {ITS} AND kind = 'answer'",
        "comments_stand_in_history",
        of=TALK,
    ),
    Fault(
        "a comment is slipped in",
        "INSERT INTO approvals_comment (public_id, request_id, kind, author_id, text, at, "
        "mentioned, answered_by) SELECT gen_random_uuid(), request_id, kind, author_id, text, at, "
        f"mentioned, '' FROM approvals_comment {ITS} AND kind = 'note'",
        "comments_stand_in_history",
        of=TALK,
    ),
    Fault(
        "a comment is taken away",
        f"DELETE FROM approvals_comment {ITS} AND kind = 'note'",
        "comments_in_history_are_there",
        of=TALK,
    ),
    Fault(
        "an answer is moved to another question",
        f"{COMMENT} answers_id = (SELECT max(id) FROM approvals_comment {ITS} "
        f"AND kind = 'question') {ITS} AND kind = 'answer'",
        "answers_stand_below_their_question",
        of=TALK,
    ),
]

FAULTS = [*REQUESTS, *DECISIONS, *HOLDS, *COMMENTS, *ANSWERS, *WAITING, *HISTORIES, *CHECKPOINTS]
