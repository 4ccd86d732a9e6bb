"""The site of each entry in the log, so that it can be narrowed to some."""

from django.db import migrations, models

FILL = """
    UPDATE archive_decision AS entry SET site_id = article.site_id
    FROM archive_article AS article WHERE article.id = entry.article_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0024_bulk'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='site_id',
            field=models.BigIntegerField(help_text='of the article, which tells it: not a part of the hash', null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['site_id', '-id'], name='decision_by_site'),
        ),
    ]
