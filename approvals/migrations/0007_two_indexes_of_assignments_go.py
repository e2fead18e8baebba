"""What assigned_once holds needs no two indexes beside it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("approvals", "0006_assignments_are_asked_once")]
    operations = [
        migrations.RemoveConstraint(model_name="assignment", name="user_assigned_once"),
        migrations.RemoveConstraint(model_name="assignment", name="group_assigned_once"),
    ]
