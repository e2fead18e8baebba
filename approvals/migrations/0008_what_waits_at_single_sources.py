"""Indexes for who oversees single sources, built while the portal works (see 0006)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def anew(sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0007_two_indexes_of_assignments_go")]
    operations = [
        anew("SET statement_timeout = 0"),
        anew("SET lock_timeout = 0"),
        anew("DROP INDEX CONCURRENTLY IF EXISTS pending_of_source"),
        AddIndexConcurrently(
            model_name="approvalrequest",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["source", "queue_at", "id"],
                name="pending_of_source",
            ),
        ),
        anew("DROP INDEX CONCURRENTLY IF EXISTS requests_of_source"),
        AddIndexConcurrently(
            model_name="approvalrequest",
            index=models.Index(fields=["source", "-id"], name="requests_of_source"),
        ),
        anew("RESET lock_timeout"),
        anew("RESET statement_timeout"),
    ]
