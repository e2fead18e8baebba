"""One decision of each reviewer that was not taken back (see 0006 for how it is built).

The same index as before, of one column more: decisions are looked up by it.
"""

from django.db import migrations, models

BUILD = [
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "DROP INDEX CONCURRENTLY IF EXISTS one_decision_stands",
    """
    CREATE UNIQUE INDEX CONCURRENTLY one_decision_stands
        ON approvals_decision (request_id, reviewer_id, retracted_at) NULLS NOT DISTINCT
    """,
]
ATTACH = """
ALTER TABLE approvals_decision
    DROP CONSTRAINT one_decision_per_reviewer,
    ADD CONSTRAINT one_decision_per_reviewer UNIQUE USING INDEX one_decision_stands
"""
#: Refused where somebody has taken a decision back and decided anew.
DETACH = """
ALTER TABLE approvals_decision
    DROP CONSTRAINT one_decision_per_reviewer,
    ADD CONSTRAINT one_decision_per_reviewer UNIQUE (request_id, reviewer_id)
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0016_decisions_can_be_held")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *(migrations.RunSQL(words, migrations.RunSQL.noop) for words in BUILD),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
                migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
                migrations.RunSQL(ATTACH, DETACH),
            ],
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="decision", name="one_decision_per_reviewer"
                ),
                migrations.AddConstraint(
                    model_name="decision",
                    constraint=models.UniqueConstraint(
                        fields=("request", "reviewer", "retracted_at"),
                        name="one_decision_per_reviewer",
                        nulls_distinct=False,
                    ),
                ),
            ],
        ),
    ]
