"""An answer that AWS took is delivered, also where a later attempt was refused meanwhile."""

from django.db import migrations

TRIGGER = """
DROP TRIGGER delivered_is_final ON approvals_callbackdelivery;
CREATE TRIGGER delivered_is_final BEFORE UPDATE ON approvals_callbackdelivery
    FOR EACH ROW WHEN (
        (OLD.state = 'delivered' AND NEW.state <> 'delivered')
        OR (OLD.state = 'undeliverable' AND NEW.state NOT IN ({from_undeliverable}))
        OR (OLD.state = 'unconfirmed'
            AND NEW.state NOT IN ('unconfirmed', 'delivered', 'undeliverable'))
        OR NEW.verb <> OLD.verb
        OR NEW.request_id <> OLD.request_id
    ) EXECUTE FUNCTION approvals_refuse('the answer AWS is owed does not change');
"""
FORWARD = TRIGGER.format(from_undeliverable="'undeliverable', 'pending', 'delivered'")
REVERSE = TRIGGER.format(from_undeliverable="'undeliverable', 'pending'")


class Migration(migrations.Migration):
    dependencies = [("approvals", "0014_indexes_of_clocks_beats_and_attempts")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
