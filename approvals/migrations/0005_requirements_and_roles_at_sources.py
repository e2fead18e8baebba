"""Several groups that must agree, roles held at one source, and a history of settings."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0004_admins_keep_people_and_kinds"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=80)),
                ("seq", models.PositiveIntegerField()),
                (
                    "tag",
                    models.CharField(
                        choices=[
                            ("source.made", "Made"),
                            ("source.changed", "Changed"),
                            ("source.disabled", "Disabled"),
                            ("source.enabled", "Enabled"),
                            ("source.secret_made", "Signing secret made"),
                            ("source.secret_ended", "Signing secret ended"),
                            ("source.key_made", "Key made"),
                            ("source.key_ended", "Key ended"),
                            ("source.role_given", "Role given"),
                            ("source.role_taken", "Role taken"),
                            ("kind.made", "Made"),
                            ("kind.changed", "Changed"),
                        ],
                        max_length=32,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("actor_name", models.CharField(blank=True, default="", max_length=150)),
                ("facts", models.JSONField(default=dict)),
                ("mac", models.BinaryField()),
            ],
            options={
                "ordering": ["subject", "seq"],
            },
        ),
        migrations.CreateModel(
            name="KindRequirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("approvals", models.PositiveSmallIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="Requirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("approvals", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SourceRole",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "may",
                    models.CharField(
                        choices=[
                            ("review", "Reviewer: may decide what they are asked"),
                            (
                                "operate",
                                "Operator: sees all, redrives, reassigns, withdraws, forces",
                            ),
                            ("audit", "Auditor: sees all"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("review", "Can decide requests they are asked about"),
                    ("operate", "Can see all requests, redrive, reassign and force answers"),
                    ("audit", "Can read all requests and their history"),
                    ("administer", "Can keep sources and kinds"),
                ]
            },
        ),
        migrations.AddField(
            model_name="assignment",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="requestkind",
            name="due_in_seconds",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="requestkind",
            name="reject_reasons",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=120),
                blank=True,
                default=list,
                help_text="Reasons offered when somebody rejects",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="requestkind",
            name="timeout_seconds",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="approvalrequest",
            name="claimed_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="claims",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="approvalrequest",
            name="kind",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requests",
                to="approvals.requestkind",
            ),
        ),
        migrations.AlterField(
            model_name="approvalrequest",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requests",
                to="approvals.callbacksource",
            ),
        ),
        migrations.AlterField(
            model_name="approvalrequest",
            name="withdrawal",
            field=models.CharField(
                blank=True,
                choices=[
                    ("source", "The source took it back"),
                    ("superseded", "A newer request took its place"),
                    ("closed_at_aws", "AWS no longer waits for an answer"),
                    ("execution_ended", "The execution ended"),
                    ("operator", "An operator took it back"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="assignments",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="history",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="tag",
            field=models.CharField(
                choices=[
                    ("request.received", "Received"),
                    ("request.claimed", "Claimed"),
                    ("request.released", "Released"),
                    ("request.voted", "Approval recorded, more needed"),
                    ("request.approved", "Approved"),
                    ("request.rejected", "Rejected"),
                    ("request.forced", "An operator forced an answer"),
                    ("request.reassigned", "Others were asked"),
                    ("request.expired", "Expired"),
                    ("request.withdrawn", "Withdrawn"),
                    ("request.answered", "The source answered a question"),
                    ("delivery.retrying", "Delivery will be tried again"),
                    ("delivery.delivered", "AWS took the answer"),
                    ("delivery.undeliverable", "AWS did not take the answer"),
                    ("delivery.unconfirmed", "AWS had the callback closed"),
                    ("delivery.redriven", "Delivery started again"),
                    ("heartbeat.lost", "A heartbeat did not reach AWS"),
                    ("execution.seen", "Execution seen"),
                ],
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="reviewer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="execution",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="executions",
                to="approvals.callbacksource",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="changeevent",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kindrequirement",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="kindrequirement",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requirements",
                to="approvals.requestkind",
            ),
        ),
        migrations.AddField(
            model_name="requirement",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="requirement",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requirements",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="sourcerole",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="source_roles",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="sourcerole",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="roles",
                to="approvals.callbacksource",
            ),
        ),
        migrations.AddField(
            model_name="sourcerole",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="source_roles",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="changeevent",
            constraint=models.UniqueConstraint(
                fields=("subject", "seq"), name="change_chains_never_fork"
            ),
        ),
        migrations.AddConstraint(
            model_name="kindrequirement",
            constraint=models.UniqueConstraint(
                fields=("kind", "group"), name="one_requirement_per_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="kindrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(("approvals__gte", 1)), name="kind_requires_an_approval"
            ),
        ),
        migrations.AddConstraint(
            model_name="requirement",
            constraint=models.UniqueConstraint(
                fields=("request", "group"), name="one_requirement_per_group"
            ),
        ),
        migrations.AddConstraint(
            model_name="requirement",
            constraint=models.CheckConstraint(
                condition=models.Q(("approvals__gte", 1)), name="requires_an_approval"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcerole",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("group", None), _connector="XOR"),
                name="role_of_a_user_or_a_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcerole",
            constraint=models.UniqueConstraint(
                fields=("source", "may", "user", "group"),
                name="role_held_once",
                nulls_distinct=False,
            ),
        ),
    ]
