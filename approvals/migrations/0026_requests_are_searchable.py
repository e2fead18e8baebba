"""The words requests are found by, in a table that no receipt and no decision writes.

Empty, so its indexes are built at once; a sweep fills it (models.indexing). The words are made
by a function, which statements that hardly ever need it do not plan.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# Of the payload its values count, not the names of its members: those are the same in every
# order. 12,000 characters of them, 2,000 of the summary and 60 of a word are kept. Plain ASCII,
# of as many bytes as characters, need not be normalised. What is between words: models.words.
WORDS_OF = r"""
CREATE FUNCTION approvals_words_of(wanted bigint) RETURNS tsvector LANGUAGE sql STABLE AS $$
SELECT array_to_tsvector(ARRAY(
         SELECT DISTINCT left(word, 60)
           FROM regexp_split_to_table(
                  lower(CASE WHEN octet_length(said) = length(said) THEN said
                             ELSE normalize(said, NFKC) END),
                  '[\u0001-/:-@\u005b-`\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7'
                  '\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u23ff\u3000-\u303f'
                  '\uff00-\uff0f\uff1a-\uff20]+') word
          WHERE word <> ''))
  FROM (SELECT concat_ws(' ', r.title, r.requested_by, r.on_behalf_of, r.agent,
    (SELECT concat_ws(' ', s.slug, s.name)
       FROM approvals_callbacksource s WHERE s.id = r.source_id),
    (SELECT regexp_replace(e.arn, '^.*:function:(.*)/durable-execution/([^/]*).*$', '\1 \2')
       FROM approvals_execution e WHERE e.id = r.execution_id),
    (SELECT string_agg(concat_ws(' ', u.username, u.first_name, u.last_name), ' ')
       FROM approvals_user u
      WHERE u.id IN (SELECT a.user_id FROM approvals_assignment a WHERE a.request_id = r.id
                     UNION ALL
                     SELECT d.reviewer_id FROM approvals_decision d
                      WHERE d.request_id = r.id AND d.retracted_at IS NULL)),
    (SELECT string_agg(g.name, ' ') FROM auth_group g
      WHERE g.id IN (SELECT a.group_id FROM approvals_assignment a WHERE a.request_id = r.id)),
    left(r.summary, 2000),
    left((SELECT string_agg(v #>> '{}', ' ')
            FROM jsonb_path_query(r.payload,
                   'strict $.** ? (@.type() == "string" || @.type() == "number")') v), 12000))
   FROM approvals_approvalrequest r WHERE r.id = wanted OFFSET 0) words (said)
$$"""


def index(name: str, **condition: bool) -> django.contrib.postgres.indexes.GinIndex:
    return django.contrib.postgres.indexes.GinIndex(
        condition=models.Q(**condition), fastupdate=False, fields=["words"], name=f"search_{name}"
    )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0025_sources_take_questions")]

    operations = [
        migrations.RunSQL(WORDS_OF, "DROP FUNCTION approvals_words_of(bigint)"),
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="approvals.approvalrequest",
                    ),
                ),
                ("open", models.BooleanField()),
                ("sampled", models.BooleanField()),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    index("open", open=True),
                    index("closed", open=False),
                    index("open_sample", open=True, sampled=True),
                    index("closed_sample", open=False, sampled=True),
                ],
            },
        ),
        migrations.AddField(
            model_name="savedview",
            name="q",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="savedview",
            name="sort",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
