"""What somebody narrows the queue to is kept under a name."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0020_place_in_queue'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('is_shared', models.BooleanField(default=False, help_text='everybody who works on the queue sees it')),
                ('kind', models.CharField(blank=True, max_length=16)),
                ('site_id', models.BigIntegerField(null=True)),
                ('rule_id', models.BigIntegerField(null=True)),
                ('age', models.CharField(blank=True, max_length=16)),
                ('words', models.CharField(blank=True, max_length=100)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'id'],
            },
        ),
        migrations.AddIndex(
            model_name='savedview',
            index=models.Index(condition=models.Q(('is_shared', True)), fields=['name', 'id'], name='saved_view_shared'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='saved_view_once'),
        ),
    ]
