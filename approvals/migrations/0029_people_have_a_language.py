"""In which language a person reads; empty, also from the release before: as their browser says."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0028_who_opened_what")]
    operations = [
        migrations.AddField(
            "user",
            "language",
            models.CharField(blank=True, db_default="", default="", max_length=8),
        ),
    ]
