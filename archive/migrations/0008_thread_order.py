"""The orders of long threads besides their own, parents that a source does not have, and what filters go by."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from archive import threads

# A page is a part of the string, which Postgres finds without reading the rest only where it is not compressed.
OUT_OF_LINE = "ALTER TABLE archive_threadorder ALTER COLUMN ranks SET STORAGE EXTERNAL"


def order_what_is_here(apps: Any, schema_editor: object) -> None:
    comments = apps.get_model("archive", "Comment").objects
    long = comments.order_by("article_id").values("article_id").annotate(n=models.Count("pk"))
    for article_id in long.filter(n__gt=threads.ORDERED_FROM).values_list("article_id", flat=True):
        rows = comments.filter(article_id=article_id).order_by("thread_rank")
        depth, size, posted = zip(*rows.values_list("depth", "subtree_size", "posted_at"), strict=True)
        for sort, levels, ranks in threads.orders(depth, size, [at and at.timestamp() for at in posted]):
            apps.get_model("archive", "ThreadOrder").objects.create(
                article_id=article_id, sort=sort, levels=levels, ranks=ranks
            )


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_reasons")]

    operations = [
        migrations.CreateModel(
            name='ThreadOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sort', models.CharField(max_length=16)),
                ('levels', models.SmallIntegerField(help_text='how many are in it; 0 for all')),
                ('ranks', models.BinaryField()),
            ],
            options={
                'ordering': ['article_id', 'sort', 'levels'],
            },
        ),
        migrations.AddField(
            model_name='comment',
            name='missing_parent',
            field=models.TextField(blank=True, help_text='the name of a parent that the source does not have'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(condition=models.Q(('author__isnull', False)), fields=['article', 'author'], name='comment_by_author_here'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(condition=models.Q(('posted_at__isnull', False)), fields=['article', 'posted_at'], name='comment_by_date'),
        ),
        migrations.AddField(
            model_name='threadorder',
            name='article',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='archive.article'),
        ),
        migrations.AddConstraint(
            model_name='threadorder',
            constraint=models.UniqueConstraint(fields=('article', 'sort', 'levels'), name='thread_order_once'),
        ),
        migrations.RunSQL(OUT_OF_LINE, migrations.RunSQL.noop),
        migrations.RunPython(order_what_is_here, migrations.RunPython.noop),
    ]
