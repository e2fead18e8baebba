"""The next clock of requests that were open before: their deadline. Soft ones stay silent."""

from django.db import migrations

FORWARD = """
UPDATE approvals_approvalrequest SET clock_at = answer_by
 WHERE state = 'pending' AND clock_at IS NULL AND answer_by IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0012_what_really_happened")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
