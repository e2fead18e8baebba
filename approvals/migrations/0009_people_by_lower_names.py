"""Whom a requester's name means is found by an index, not by reading everybody."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0008_sessions_know_their_person")]
    operations = [
        AddIndexConcurrently("user", models.Index(Lower(column), name=name))
        for column, name in {
            "username": "users_by_lower_name",
            "email": "users_by_lower_email",
            "subject": "users_by_lower_subject",
        }.items()
    ]
