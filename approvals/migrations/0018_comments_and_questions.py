"""Comments on requests, questions to their sources, and the way there.

What was said stands, as a decision does.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER comments_stand BEFORE UPDATE OR DELETE ON approvals_comment
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse('what was said stands');
CREATE TRIGGER comments_are_not_truncated BEFORE TRUNCATE ON approvals_comment
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse('what was said stands');
"""
REVERSE = """
DROP TRIGGER comments_are_not_truncated ON approvals_comment;
DROP TRIGGER comments_stand ON approvals_comment;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0017_one_decision_stands")]
    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("note", "Comment"),
                            ("question", "Question to the requester"),
                            ("answer", "Answer of the requester"),
                        ],
                        max_length=8,
                    ),
                ),
                ("text", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "mentioned",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("answered_by", models.CharField(blank=True, default="", max_length=255)),
            ],
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
                    ("request.held", "Decided, sent unless taken back"),
                    ("request.undone", "Taken back by who decided"),
                    ("request.approved", "Approved"),
                    ("request.rejected", "Rejected"),
                    ("request.forced", "An operator forced an answer"),
                    ("request.reassigned", "Others were asked"),
                    ("request.due", "Due"),
                    ("request.escalated", "Time to ask others"),
                    ("request.expired", "Expired"),
                    ("request.withdrawn", "Withdrawn"),
                    ("request.commented", "Commented"),
                    ("request.questioned", "The requester was asked"),
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
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("asked", "You are asked to decide"),
                    ("handled", "Somebody else has handled it"),
                    ("mention", "Somebody mentioned you"),
                    ("answered", "Your question is answered"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="QuestionDelivery",
            fields=[
                (
                    "question",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="delivery",
                        serialize=False,
                        to="approvals.comment",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting to be sent"),
                            ("sent", "The source took it"),
                            ("dropped", "Not sent: no longer needed, or refused for good"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("owed_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("detail", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "verbose_name_plural": "question deliveries",
            },
        ),
        migrations.AddField(
            model_name="comment",
            name="answers",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answer",
                to="approvals.comment",
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="author",
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
            model_name="comment",
            name="request",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="comments",
                to="approvals.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="comment",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="approvals.comment",
            ),
        ),
        migrations.AddField(
            model_name="questiondelivery",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.callbacksource",
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(fields=["request", "id"], name="comments_of_request"),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answers__isnull", False), ("author", None), ("kind", "answer")),
                    models.Q(
                        ("answers", None),
                        ("author__isnull", False),
                        ("kind__in", ["note", "question"]),
                    ),
                    _connector="OR",
                ),
                name="people_comment_and_sources_answer",
            ),
        ),
        migrations.AddIndex(
            model_name="questiondelivery",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["source", "next_attempt_at"],
                name="questions_due",
            ),
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
