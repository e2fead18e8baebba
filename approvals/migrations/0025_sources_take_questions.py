"""Where questions of reviewers to a source go. By itself: it locks sources, and nothing else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0024_index_of_holds")]
    operations = [
        migrations.AddField(
            model_name="callbacksource",
            name="questions_mail",
            field=models.EmailField(
                blank=True,
                db_default="",
                default="",
                help_text="Or where they are mailed to",
                max_length=254,
            ),
        ),
        migrations.AddField(
            model_name="callbacksource",
            name="questions_url",
            field=models.URLField(
                blank=True,
                db_default="",
                default="",
                help_text="Where questions of reviewers are posted, signed",
                max_length=500,
            ),
        ),
    ]
