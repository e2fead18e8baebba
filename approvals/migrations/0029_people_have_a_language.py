"""In which language a person reads; empty, also from the release before: as their browser says."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0025_sources_take_questions")]
    operations = [
        migrations.AddField(
            "user",
            "language",
            models.CharField(blank=True, db_default="", default="", max_length=8),
        ),
    ]
