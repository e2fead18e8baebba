"""Indexes on tables that may be large: built and dropped while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

BUILD = """
CREATE UNIQUE INDEX CONCURRENTLY assigned_once
    ON approvals_assignment (request_id, user_id, group_id) NULLS NOT DISTINCT
"""
ATTACH = """
ALTER TABLE approvals_assignment ADD CONSTRAINT assigned_once UNIQUE USING INDEX assigned_once
"""
DETACH = "ALTER TABLE approvals_assignment DROP CONSTRAINT assigned_once"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0005_requirements_and_roles_at_sources")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(BUILD, migrations.RunSQL.noop),
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
        migrations.RemoveConstraint(model_name="assignment", name="user_assigned_once"),
        migrations.RemoveConstraint(model_name="assignment", name="group_assigned_once"),
        AddIndexConcurrently(
            model_name="approvalrequest",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["source", "queue_at", "id"],
                name="pending_of_source",
            ),
        ),
        AddIndexConcurrently(
            model_name="approvalrequest",
            index=models.Index(fields=["source", "-id"], name="requests_of_source"),
        ),
    ]
