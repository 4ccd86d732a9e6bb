"""Ids of comments that were joined into others, or are no comments any more: their addresses lead on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0005_tallies")]

    operations = [
        migrations.CreateModel(
            name="FormerComment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("comment_id", models.BigIntegerField()),
                ("heir_id", models.BigIntegerField(null=True)),
                ("external_key", models.BinaryField(max_length=32)),
                ("span_start", models.IntegerField(null=True)),
                ("span_end", models.IntegerField(null=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "article",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="archive.article"
                    ),
                ),
            ],
            options={
                "ordering": ["article_id", "comment_id"],
                "constraints": [
                    models.UniqueConstraint(fields=("article", "comment_id"), name="former_comment_once")
                ],
            },
        ),
    ]
