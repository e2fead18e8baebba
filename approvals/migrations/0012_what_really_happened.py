"""What AWS says of callbacks and executions, broken ways to it, counts, and checkpoints."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER checkpoints_stand BEFORE UPDATE OR DELETE ON approvals_auditcheckpoint
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('history is append-only');
CREATE TRIGGER checkpoints_are_not_truncated BEFORE TRUNCATE ON approvals_auditcheckpoint
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('history is append-only');
"""
REVERSE = """
DROP TRIGGER checkpoints_are_not_truncated ON approvals_auditcheckpoint;
DROP TRIGGER checkpoints_stand ON approvals_auditcheckpoint;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0011_people_by_lower_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("first_event_id", models.BigIntegerField()),
                ("last_event_id", models.BigIntegerField(unique=True)),
                ("events", models.PositiveIntegerField()),
                ("sha256", models.BinaryField()),
                ("mac", models.BinaryField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="CallbackCheck",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="callback_check",
                        serialize=False,
                        to="approvals.approvalrequest",
                    ),
                ),
                (
                    "finding",
                    models.CharField(
                        choices=[
                            ("pending", "Not asked yet"),
                            ("found", "AWS knows it and waits"),
                            ("closed", "AWS no longer waits for it"),
                            ("missing", "The execution has no such callback"),
                            ("unreadable", "The portal may not read it"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("timeout_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("heartbeat_timeout_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("detail", models.CharField(blank=True, default="", max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Circuit",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="circuit",
                        serialize=False,
                        to="approvals.callbacksource",
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("probe_at", models.DateTimeField(blank=True, null=True)),
                ("probes", models.PositiveIntegerField(default=0)),
                ("detail", models.CharField(blank=True, default="", max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="ExecutionHistory",
            fields=[
                (
                    "execution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="history",
                        serialize=False,
                        to="approvals.execution",
                    ),
                ),
                ("steps", models.JSONField(default=list)),
                ("is_whole", models.BooleanField(default=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("next_read_at", models.DateTimeField(blank=True, null=True)),
                ("reads", models.PositiveIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "verbose_name_plural": "execution histories",
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("label", models.CharField(blank=True, default="", max_length=64)),
                ("value", models.FloatField(default=0.0)),
            ],
            options={
                "verbose_name_plural": "tallies",
            },
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="clock_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="callbacksource",
            name="verify_callbacks",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Ask the execution's history whether each callback exists and waits",
            ),
        ),
        migrations.AddField(
            model_name="sweepmark",
            name="seconds",
            field=models.FloatField(db_default=0.0, default=0.0),
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
                    ("elsewhere", "It was answered outside the portal"),
                    ("operator", "An operator took it back"),
                ],
                default="",
                max_length=16,
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
                    ("request.due", "Due"),
                    ("request.escalated", "Time to ask others"),
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
                    ("callback.checked", "AWS was asked about the callback"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddIndex(
            model_name="callbackcheck",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)),
                fields=["next_attempt_at"],
                name="callbacks_to_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="circuit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("opened_at", None), ("probe_at", None)),
                    models.Q(("opened_at__isnull", False), ("probe_at__isnull", False)),
                    _connector="OR",
                ),
                name="open_circuits_are_probed",
            ),
        ),
        migrations.AddIndex(
            model_name="executionhistory",
            index=models.Index(
                condition=models.Q(("next_read_at__isnull", False)),
                fields=["next_read_at"],
                name="histories_to_read",
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                fields=("name", "label"), name="one_tally_per_label"
            ),
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
