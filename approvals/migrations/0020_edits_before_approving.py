"""What a reviewer changed before approving, and that nobody moves what may be changed."""

from django.db import migrations, models

FORWARD = """
CREATE TRIGGER what_may_be_edited_stays BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (NEW.editable IS DISTINCT FROM OLD.editable)
    EXECUTE FUNCTION approvals_refuse('what reviewers saw is what is decided');
"""
REVERSE = "DROP TRIGGER what_may_be_edited_stays ON approvals_approvalrequest;"


class Migration(migrations.Migration):
    dependencies = [("approvals", "0019_notices_of_comments")]
    operations = [
        migrations.AddField(
            model_name="decision",
            name="edits_text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="decision",
            name="final_sha256",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
