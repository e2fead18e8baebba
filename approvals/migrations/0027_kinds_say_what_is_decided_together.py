"""Which requests of a kind may be decided together; a decision made so says it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0026_requests_are_searchable")]
    operations = [
        migrations.AddField(
            "requestkind",
            "bulk",
            models.CharField(
                choices=[
                    ("low-risk", "Those of low risk, and those they have opened"),
                    ("opened", "Those they have opened"),
                    ("never", "None: each is decided by itself"),
                ],
                db_default="low-risk",
                default="low-risk",
                max_length=8,
            ),
        ),
        # No change of the table: the words of a choice.
        migrations.AlterField(
            "decision",
            "channel",
            models.CharField(
                choices=[
                    ("browser", "in the browser"),
                    ("api", "by API"),
                    ("bulk", "together with others"),
                    ("system", "by the portal"),
                ],
                max_length=8,
            ),
        ),
    ]
