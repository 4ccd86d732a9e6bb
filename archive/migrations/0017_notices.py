"""Who is told what waits, and which servers what was decided."""

import archive.models.notice
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0016_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.URLField(help_text='https, or http to a private address; asked by POST', max_length=500, verbose_name='address')),
                ('is_on', models.BooleanField(default=True, verbose_name='on')),
                ('secret', models.CharField(default=archive.models.notice.new_secret, editable=False, max_length=64)),
                ('cursor', models.BigIntegerField(default=0, editable=False)),
                ('failures', models.IntegerField(default=0, editable=False, help_text='in a row')),
                ('trouble', models.CharField(blank=True, editable=False, max_length=300)),
                ('next_at', models.DateTimeField(editable=False, help_text='not tried before', null=True)),
                ('delivered_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(choices=[('never', 'never'), ('daily', 'every morning'), ('weekly', 'on Monday mornings')], default='never', max_length=8)),
                ('token', models.CharField(default=archive.models.notice.new_secret, help_text="of the feed's address", max_length=64, unique=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
    ]
