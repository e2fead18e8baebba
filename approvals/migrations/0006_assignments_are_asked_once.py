"""One index where three stood, built while the portal works; may be run again at any point.

A concurrent build waits for every transaction that is open: no limit of the portal's own
applies to it. One that was broken off leaves an index that is good for nothing.
"""

from django.db import migrations, models

BUILD = [
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "DROP INDEX CONCURRENTLY IF EXISTS assigned_once",
    """
    CREATE UNIQUE INDEX CONCURRENTLY assigned_once
        ON approvals_assignment (request_id, user_id, group_id) NULLS NOT DISTINCT
    """,
]
ATTACH = """
ALTER TABLE approvals_assignment ADD CONSTRAINT assigned_once UNIQUE USING INDEX assigned_once
"""
DETACH = "ALTER TABLE approvals_assignment DROP CONSTRAINT IF EXISTS assigned_once"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0005_requirements_and_roles_at_sources")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *(migrations.RunSQL(words, migrations.RunSQL.noop) for words in BUILD),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
                migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
                migrations.RunSQL(ATTACH, DETACH),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="assignment",
                    constraint=models.UniqueConstraint(
                        fields=("request", "user", "group"),
                        name="assigned_once",
                        nulls_distinct=False,
                    ),
                ),
            ],
        ),
    ]
