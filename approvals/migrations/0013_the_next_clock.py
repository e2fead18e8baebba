"""The next clock of requests that were open before: their deadline. Soft ones stay silent.

While the release before still takes requests in, it leaves the clock empty: the trigger sets
it, so that none of those waits past its deadline. First, so that no row slips between.
People decide meanwhile: rows are filled some at a time, each time in a transaction of its own.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

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
BATCH = 1_000
# By key, so that what has been filled is not walked over again.
FILL = """
WITH batch AS (
    SELECT id FROM approvals_approvalrequest
     WHERE state = 'pending' AND clock_at IS NULL AND answer_by IS NOT NULL AND id > %s
     ORDER BY id LIMIT %s FOR NO KEY UPDATE
)
UPDATE approvals_approvalrequest r SET clock_at = r.answer_by
  FROM batch WHERE r.id = batch.id RETURNING r.id
"""
FILL_FREE = FILL.replace("NO KEY UPDATE", "NO KEY UPDATE SKIP LOCKED")


def fill(_apps: StateApps | None, editor: BaseDatabaseSchemaEditor) -> None:
    """Those that nobody holds; then the others one by one, as whoever holds one lets it go."""
    for words, batch in [(FILL_FREE, BATCH), (FILL, 1)]:
        after = 0
        with editor.connection.cursor() as cursor:
            while True:
                cursor.execute(words, [after, batch])
                if not (filled := cursor.fetchall()):
                    break
                after = max(key for (key,) in filled)


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
        migrations.RunSQL("SET statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
        migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
    ]
