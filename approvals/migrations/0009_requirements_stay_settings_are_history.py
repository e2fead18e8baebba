"""Triggers for the new rows, and the right to keep sources and kinds."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER requirements_are_frozen BEFORE UPDATE ON approvals_requirement
    FOR EACH ROW WHEN (
        NEW.request_id <> OLD.request_id OR NEW.approvals <> OLD.approvals
    ) EXECUTE FUNCTION approvals_refuse('what is required is frozen on receipt');
CREATE TRIGGER requirements_are_kept BEFORE DELETE ON approvals_requirement
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('what is required is frozen on receipt');
CREATE TRIGGER requirements_are_not_truncated BEFORE TRUNCATE ON approvals_requirement
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('what is required is frozen on receipt');

CREATE TRIGGER changes_are_append_only BEFORE UPDATE OR DELETE ON approvals_changeevent
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('history is append-only');
CREATE TRIGGER changes_are_not_truncated BEFORE TRUNCATE ON approvals_changeevent
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('history is append-only');
"""

REVERSE = """
DROP TRIGGER requirements_are_frozen ON approvals_requirement;
DROP TRIGGER requirements_are_kept ON approvals_requirement;
DROP TRIGGER requirements_are_not_truncated ON approvals_requirement;
DROP TRIGGER changes_are_append_only ON approvals_changeevent;
DROP TRIGGER changes_are_not_truncated ON approvals_changeevent;
"""

#: Kinds are kept on a page of the portal from now on; Django's admin only shows them.
NO_LONGER = ("add_requestkind", "change_requestkind", "view_requestkind")


def forward(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="approvals", model="user"
    )
    permissions = apps.get_model("auth", "Permission").objects
    administer, _ = permissions.get_or_create(
        content_type=content_type,
        codename="administer",
        defaults={"name": "Can keep sources and kinds"},
    )
    admins = apps.get_model("auth", "Group").objects.get(name="admin")
    admins.permissions.add(administer)
    admins.permissions.remove(*permissions.filter(codename__in=NO_LONGER))


class Migration(migrations.Migration):
    dependencies = [("approvals", "0008_what_waits_at_single_sources")]
    operations = [
        migrations.RunSQL(FORWARD, REVERSE),
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
