"""Triggers: history and decisions are never rewritten, closed ladders never reopened.

They hold against our own bugs and against anybody with the application's database role.
Against a superuser the audit chain tells.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION approvals_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON approvals_auditevent
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('history is append-only');
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON approvals_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('history is append-only');

CREATE TRIGGER decisions_stand BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('a decision stands as it was made');
CREATE TRIGGER decisions_are_not_truncated BEFORE TRUNCATE ON approvals_decision
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('a decision stands as it was made');

CREATE TRIGGER closed_requests_stay_closed BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (
        OLD.state <> 'pending' AND (
            NEW.state IS DISTINCT FROM OLD.state
            OR NEW.closed_at IS DISTINCT FROM OLD.closed_at
            OR NEW.withdrawal IS DISTINCT FROM OLD.withdrawal
        )
    ) EXECUTE FUNCTION approvals_refuse('a request is closed exactly once');
CREATE TRIGGER what_was_seen_is_decided BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (
        (NEW.title, NEW.payload_text, NEW.payload_sha256, NEW.content_sha256,
         NEW.callback_sha256, NEW.source_id, NEW.requested_by, NEW.on_behalf_of, NEW.agent,
         NEW.required_approvals, NEW.on_reject, NEW.on_timeout, NEW.approve_with, NEW.reject_with,
         NEW.summary, NEW.links, NEW.risk, NEW.checks, NEW.effects, NEW.response_schema,
         NEW.wanted_by_ids)
        IS DISTINCT FROM
        (OLD.title, OLD.payload_text, OLD.payload_sha256, OLD.content_sha256,
         OLD.callback_sha256, OLD.source_id, OLD.requested_by, OLD.on_behalf_of, OLD.agent,
         OLD.required_approvals, OLD.on_reject, OLD.on_timeout, OLD.approve_with, OLD.reject_with,
         OLD.summary, OLD.links, OLD.risk, OLD.checks, OLD.effects, OLD.response_schema,
         OLD.wanted_by_ids)
    ) EXECUTE FUNCTION approvals_refuse('what reviewers saw is what is decided');
CREATE TRIGGER requests_are_not_truncated BEFORE TRUNCATE ON approvals_approvalrequest
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('requests are kept');
CREATE TRIGGER requests_are_kept BEFORE DELETE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('requests are kept');

CREATE TRIGGER delivered_is_final BEFORE UPDATE ON approvals_callbackdelivery
    FOR EACH ROW WHEN (
        (OLD.state = 'delivered' AND NEW.state <> 'delivered')
        OR (OLD.state = 'undeliverable' AND NEW.state NOT IN ('undeliverable', 'pending'))
        OR (OLD.state = 'unconfirmed'
            AND NEW.state NOT IN ('unconfirmed', 'delivered', 'undeliverable'))
        OR NEW.verb <> OLD.verb
        OR NEW.request_id <> OLD.request_id
    ) EXECUTE FUNCTION approvals_refuse('the answer AWS is owed does not change');
CREATE TRIGGER deliveries_are_not_truncated BEFORE TRUNCATE ON approvals_callbackdelivery
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('deliveries are kept');
CREATE TRIGGER deliveries_are_kept BEFORE DELETE ON approvals_callbackdelivery
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('deliveries are kept');
"""

REVERSE = """
DROP TRIGGER deliveries_are_not_truncated ON approvals_callbackdelivery;
DROP TRIGGER requests_are_not_truncated ON approvals_approvalrequest;
DROP TRIGGER deliveries_are_kept ON approvals_callbackdelivery;
DROP TRIGGER delivered_is_final ON approvals_callbackdelivery;
DROP TRIGGER requests_are_kept ON approvals_approvalrequest;
DROP TRIGGER what_was_seen_is_decided ON approvals_approvalrequest;
DROP TRIGGER closed_requests_stay_closed ON approvals_approvalrequest;
DROP TRIGGER decisions_are_not_truncated ON approvals_decision;
DROP TRIGGER decisions_stand ON approvals_decision;
DROP TRIGGER history_is_not_truncated ON approvals_auditevent;
DROP TRIGGER history_is_append_only ON approvals_auditevent;
DROP FUNCTION approvals_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_first_tables")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
