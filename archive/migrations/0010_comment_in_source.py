"""Pages of a source find the comments of their lines without reading the whole thread."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0009_changed_at"),
    ]

    operations = [
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(condition=models.Q(('span_start__isnull', False)), fields=['article', 'span_start'], name='comment_in_source'),
        ),
    ]
