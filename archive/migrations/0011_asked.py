"""A source may wait until somebody has said whether a reading model may be sent its text."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0010_comment_in_source"),
    ]

    operations = [
        migrations.AlterField(
            model_name='source',
            name='state',
            field=models.CharField(choices=[('received', 'waiting'), ('asked', 'waiting for your word'), ('running', 'being read'), ('done', 'imported'), ('rejected', 'rejected')], default='received', max_length=16),
        ),
    ]
