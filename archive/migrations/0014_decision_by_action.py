"""The log is narrowed down by what was done."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0013_queue'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['action', '-id'], name='decision_by_action'),
        ),
    ]
