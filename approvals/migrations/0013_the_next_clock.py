"""The next clock of requests that were open before: their deadline. Soft ones stay silent.

While the release before still takes requests in, it leaves the clock empty: the trigger sets
it, so that none of those waits past its deadline. First, so that no row slips between.
"""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION approvals_set_the_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.clock_at := LEAST(NEW.due_at, NEW.escalate_at, NEW.answer_by);
    RETURN NEW;
END $$;
CREATE TRIGGER clocks_of_the_release_before BEFORE INSERT ON approvals_approvalrequest
    FOR EACH ROW WHEN (NEW.clock_at IS NULL AND NEW.answer_by IS NOT NULL)
    EXECUTE FUNCTION approvals_set_the_clock();
"""
NO_TRIGGER = """
DROP TRIGGER clocks_of_the_release_before ON approvals_approvalrequest;
DROP FUNCTION approvals_set_the_clock();
"""
FILL = """
UPDATE approvals_approvalrequest SET clock_at = answer_by
 WHERE state = 'pending' AND clock_at IS NULL AND answer_by IS NOT NULL
"""


class Migration(migrations.Migration):
    atomic = False  # the trigger stands before the rows are filled, and its lock is short
    dependencies = [("approvals", "0012_what_really_happened")]
    operations = [
        migrations.RunSQL(
            "DROP TRIGGER IF EXISTS clocks_of_the_release_before ON approvals_approvalrequest; "
            "DROP FUNCTION IF EXISTS approvals_set_the_clock()",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
