"""A decision is held for a while and can be taken back; until then its request is pending.

Triggers keep it so: of a decision nothing changes but that it is taken back, while it can be;
a held answer is what it was at the click, and stays as long as its request is held. The
release before knows of no hold: where it would close a request over one, it is refused. The
desk judges by the second; a transaction that began in time may end a moment later.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION approvals_refuse_all_but_undo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.retracted_at IS NULL AND NEW.retracted_at IS NOT NULL
       AND to_jsonb(NEW) - 'retracted_at' = to_jsonb(OLD) - 'retracted_at'
       AND EXISTS (SELECT 1 FROM approvals_approvalrequest r
                    WHERE r.id = OLD.request_id AND r.state = 'pending'
                      AND (r.held_until IS NOT NULL
                           OR OLD.undo_until > clock_timestamp() - interval '1 minute'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER decisions_stand ON approvals_decision;
CREATE TRIGGER decisions_stand BEFORE DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('a decision stands as it was made');
CREATE TRIGGER decisions_are_only_taken_back BEFORE UPDATE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse_all_but_undo('a decision stands as it was made');

CREATE TRIGGER held_requests_are_pending BEFORE INSERT OR UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (NEW.held_until IS NOT NULL AND NEW.state <> 'pending')
    EXECUTE FUNCTION approvals_refuse('somebody has decided, and may still take it back');

CREATE FUNCTION approvals_refuse_while_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM approvals_approvalrequest r
                WHERE r.id = OLD.request_id AND r.held_until IS NOT NULL)
    THEN
        RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER held_answers_are_frozen BEFORE UPDATE ON approvals_heldanswer
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('the answer was frozen at the click');
CREATE TRIGGER held_answers_are_kept BEFORE DELETE ON approvals_heldanswer
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse_while_held('its request is still held');
CREATE TRIGGER held_answers_are_not_truncated BEFORE TRUNCATE ON approvals_heldanswer
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('its request is still held');
"""

REVERSE = """
DROP TRIGGER held_answers_are_not_truncated ON approvals_heldanswer;
DROP TRIGGER held_answers_are_kept ON approvals_heldanswer;
DROP TRIGGER held_answers_are_frozen ON approvals_heldanswer;
DROP FUNCTION approvals_refuse_while_held();
DROP TRIGGER held_requests_are_pending ON approvals_approvalrequest;
DROP TRIGGER decisions_are_only_taken_back ON approvals_decision;
DROP TRIGGER decisions_stand ON approvals_decision;
CREATE TRIGGER decisions_stand BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('a decision stands as it was made');
DROP FUNCTION approvals_refuse_all_but_undo();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0015_taken_is_taken")]
    operations = [
        migrations.AddField(
            model_name="requestkind",
            name="undo_seconds",
            field=models.PositiveSmallIntegerField(
                db_default=10,
                default=10,
                validators=[django.core.validators.MaxValueValidator(30)],
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="held_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="decision",
            name="undo_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="decision",
            name="retracted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="tag",
            field=models.CharField(
                choices=[
                    ("request.received", "Received"),
                    ("request.claimed", "Claimed"),
                    ("request.released", "Released"),
                    ("request.voted", "Approval recorded, more needed"),
                    ("request.held", "Decided, sent unless taken back"),
                    ("request.undone", "Taken back by who decided"),
                    ("request.approved", "Approved"),
                    ("request.rejected", "Rejected"),
                    ("request.forced", "An operator forced an answer"),
                    ("request.reassigned", "Others were asked"),
                    ("request.due", "Due"),
                    ("request.escalated", "Time to ask others"),
                    ("request.expired", "Expired"),
                    ("request.withdrawn", "Withdrawn"),
                    ("request.answered", "The source answered a question"),
                    ("delivery.retrying", "Delivery will be tried again"),
                    ("delivery.delivered", "AWS took the answer"),
                    ("delivery.undeliverable", "AWS did not take the answer"),
                    ("delivery.unconfirmed", "AWS had the callback closed"),
                    ("delivery.redriven", "Delivery started again"),
                    ("heartbeat.lost", "A heartbeat did not reach AWS"),
                    ("execution.seen", "Execution seen"),
                    ("callback.checked", "AWS was asked about the callback"),
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="HeldAnswer",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="held_answer",
                        serialize=False,
                        to="approvals.approvalrequest",
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[("succeed", "Callback success"), ("fail", "Callback failure")],
                        max_length=8,
                    ),
                ),
                ("sealed_body", models.BinaryField()),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_answer",
                        to="approvals.decision",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
