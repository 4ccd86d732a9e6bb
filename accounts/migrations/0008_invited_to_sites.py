"""Invitations to help on some sites only."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_saved_views'),
    ]

    operations = [
        migrations.AddField(
            model_name='invitation',
            name='sites',
            field=models.JSONField(blank=True, default=list, help_text='ids of those on which the role holds; none for all'),
        ),
    ]
