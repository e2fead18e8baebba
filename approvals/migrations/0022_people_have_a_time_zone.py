"""In which time zone a person reads times; empty, also from the release before: the portal's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0021_constraints_in_fewer_words")]
    operations = [
        migrations.AddField(
            "user",
            "time_zone",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
