"""Whose hold is over, by index: a sweep asks every second (see 0006 for how it is built)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def anew(sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0023_saved_views")]
    operations = [
        anew("SET statement_timeout = 0"),
        anew("SET lock_timeout = 0"),
        anew("DROP INDEX CONCURRENTLY IF EXISTS held_requests"),
        AddIndexConcurrently(
            "approvalrequest",
            models.Index(
                fields=["held_until"],
                condition=models.Q(("held_until__isnull", False)),
                name="held_requests",
            ),
        ),
        anew("RESET lock_timeout"),
        anew("RESET statement_timeout"),
    ]
