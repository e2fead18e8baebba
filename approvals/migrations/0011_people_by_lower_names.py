"""Whom a requester's name means is found by an index, built while the portal works (see 0006)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower

INDEXES = {
    "username": "users_by_lower_name",
    "email": "users_by_lower_email",
    "subject": "users_by_lower_subject",
}


def anew(sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0010_sessions_know_their_person")]
    operations = [
        anew("SET statement_timeout = 0"),
        anew("SET lock_timeout = 0"),
        *(anew(f"DROP INDEX CONCURRENTLY IF EXISTS {name}") for name in INDEXES.values()),
        *(
            AddIndexConcurrently("user", models.Index(Lower(column), name=name))
            for column, name in INDEXES.items()
        ),
        anew("RESET lock_timeout"),
        anew("RESET statement_timeout"),
    ]
