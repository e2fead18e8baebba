"""The roles people can hold and the kinds that ship."""

from django.db import migrations

ROLES = {
    "reviewer": ["review"],
    "operator": ["operate"],
    "auditor": ["audit"],
    "admin": ["operate", "audit"],
}
KINDS = {
    "generic": "Request",
    "order": "Order",
    "document": "Document",
    "agent-action": "Agent action",
}
NAMES = {
    "review": "Can decide requests they are asked about",
    "operate": "Can see all requests, redrive, reassign and force answers",
    "audit": "Can read all requests and their history",
}


def forward(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="approvals", model="user"
    )
    permissions = {
        codename: apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in NAMES.items()
    }
    for role, codenames in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(*(permissions[codename] for codename in codenames))
    for slug, label in KINDS.items():
        apps.get_model("approvals", "RequestKind").objects.get_or_create(
            slug=slug, defaults={"label": label}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_what_is_written_stays"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
