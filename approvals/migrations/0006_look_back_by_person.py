"""All that somebody was ever asked, youngest first, is one walk along one index.

The two indexes take the place of those on the bare foreign keys. They are built and
dropped without blocking writers; the database's part is spelled out because altering the
fields would check both foreign keys anew under a lock.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

DROP_BARE = "DROP INDEX CONCURRENTLY IF EXISTS {name}"
MAKE_BARE = "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON approvals_assignment ({column})"


def without_bare_index(field, column, name, foreign_key):
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                DROP_BARE.format(name=name), MAKE_BARE.format(name=name, column=column)
            )
        ],
        state_operations=[
            migrations.AlterField(model_name="assignment", name=field, field=foreign_key)
        ],
    )


def asked(to):
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="assignments",
        to=to,
    )


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY

    dependencies = [("approvals", "0005_name_the_deliveries")]
    operations = [
        AddIndexConcurrently(
            "assignment",
            models.Index(
                fields=["user", "-request"], condition=Q(user__isnull=False), name="asked_user"
            ),
        ),
        AddIndexConcurrently(
            "assignment",
            models.Index(
                fields=["group", "-request"], condition=Q(group__isnull=False), name="asked_group"
            ),
        ),
        without_bare_index(
            "user",
            "user_id",
            "approvals_assignment_user_id_49184867",
            asked(settings.AUTH_USER_MODEL),
        ),
        without_bare_index(
            "group", "group_id", "approvals_assignment_group_id_2ffbb714", asked("auth.group")
        ),
    ]
