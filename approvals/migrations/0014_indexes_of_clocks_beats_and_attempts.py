"""Indexes for the next clock, for beats by source, and for attempts under way (see 0006).

What they take the place of goes: each index is paid for at every receipt and every beat.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def anew(sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, migrations.RunSQL.noop)


def built(model: str, index: models.Index) -> list[migrations.RunSQL | AddIndexConcurrently]:
    drop = anew(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")
    return [drop, AddIndexConcurrently(model, index)]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0013_the_next_clock")]
    operations = [
        anew("SET statement_timeout = 0"),
        anew("SET lock_timeout = 0"),
        *built(
            "approvalrequest",
            models.Index(
                fields=["clock_at"],
                condition=models.Q(("clock_at__isnull", False), ("state", "pending")),
                name="pending_by_clock",
            ),
        ),
        *built(
            "callbackdelivery",
            models.Index(
                fields=["source"],
                condition=models.Q(("in_flight", True)),
                name="delivery_in_flight",
            ),
        ),
        *built(
            "heartbeat",
            models.Index(fields=["source", "next_beat_at"], name="heartbeat_due_of_source"),
        ),
        RemoveIndexConcurrently("approvalrequest", "pending_by_answer_by"),
        RemoveIndexConcurrently("heartbeat", "heartbeat_due"),
        migrations.AlterField(
            model_name="heartbeat",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="heartbeats",
                to="approvals.callbacksource",
            ),
        ),
        anew("RESET lock_timeout"),
        anew("RESET statement_timeout"),
    ]
