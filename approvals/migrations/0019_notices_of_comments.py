"""One notice to a person for each comment, beside the one for the request itself.

The index is built while the portal works, and may be built again at any point (see 0006);
then the constraint takes it in the place of its narrower one, in one moment.
"""

from django.db import migrations, models

BUILD = [
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "DROP INDEX CONCURRENTLY IF EXISTS one_notice_per_comment",
    """
    CREATE UNIQUE INDEX CONCURRENTLY one_notice_per_comment
        ON approvals_notice (request_id, user_id, kind, comment_id) NULLS NOT DISTINCT
    """,
]
# The index takes the name of its constraint.
SWAP = """
ALTER TABLE approvals_notice DROP CONSTRAINT one_notice_per_person_and_kind,
    ADD CONSTRAINT one_notice_per_person_and_kind UNIQUE USING INDEX one_notice_per_comment
"""
SWAP_BACK = """
DELETE FROM approvals_notice WHERE comment_id IS NOT NULL;
ALTER TABLE approvals_notice DROP CONSTRAINT one_notice_per_person_and_kind,
    ADD CONSTRAINT one_notice_per_person_and_kind UNIQUE (request_id, user_id, kind)
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0018_comments_and_questions")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *(migrations.RunSQL(words, migrations.RunSQL.noop) for words in BUILD),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
                migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
                migrations.RunSQL(SWAP, SWAP_BACK),
            ],
            state_operations=[
                migrations.RemoveConstraint("notice", "one_notice_per_person_and_kind"),
                migrations.AddConstraint(
                    model_name="notice",
                    constraint=models.UniqueConstraint(
                        fields=("request", "user", "kind", "comment"),
                        name="one_notice_per_person_and_kind",
                        nulls_distinct=False,
                    ),
                ),
            ],
        ),
    ]
