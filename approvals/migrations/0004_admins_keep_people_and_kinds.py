"""What the role `admin` may do in Django's admin: see all of it, and keep people and kinds.

Sight is not listed here by model: whoever may operate and audit sees everything
(approvals.admin).
"""

from django.db import migrations

GRANTS = {
    ("approvals", "user"): ["view", "add", "change"],
    ("approvals", "requestkind"): ["view", "add", "change"],
    ("auth", "group"): ["view", "add", "change"],
}


def forward(apps, schema_editor):
    admins = apps.get_model("auth", "Group").objects.get(name="admin")
    for (app_label, model), verbs in GRANTS.items():
        content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
            app_label=app_label, model=model
        )
        name = apps.get_model(app_label, model)._meta.verbose_name_raw
        for verb in verbs:
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type,
                codename=f"{verb}_{model}",
                defaults={"name": f"Can {verb} {name}"},
            )
            admins.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_roles_and_kinds")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
