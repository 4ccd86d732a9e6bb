"""Articles of which the text itself was erased."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0021_saved_views'),
    ]

    operations = [
        migrations.AddField(
            model_name='article',
            name='is_erased',
            field=models.BooleanField(default=False, help_text='its own text; the comments under it stay'),
        ),
    ]
