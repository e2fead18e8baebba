"""The words requests are found by, in a table that no receipt and no decision writes.

Empty, so its indexes are built at once; a sweep fills it (models.indexing).
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


def index(name: str, **condition: bool) -> django.contrib.postgres.indexes.GinIndex:
    return django.contrib.postgres.indexes.GinIndex(
        condition=models.Q(**condition), fastupdate=False, fields=["words"], name=f"search_{name}"
    )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0025_sources_take_questions")]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="approvals.approvalrequest",
                    ),
                ),
                ("open", models.BooleanField()),
                ("sampled", models.BooleanField()),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    index("open", open=True),
                    index("closed", open=False),
                    index("open_sample", open=True, sampled=True),
                    index("closed_sample", open=False, sampled=True),
                ],
            },
        ),
        migrations.AddField(
            model_name="savedview",
            name="q",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="savedview",
            name="sort",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
