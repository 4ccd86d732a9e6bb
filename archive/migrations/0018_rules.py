"""Rules for what comes in, their versions, and what was tried of them on the archive."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0017_notices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('is_on', models.BooleanField(default=False)),
                ('version', models.IntegerField(default=0)),
                ('kind', models.CharField(choices=[('words', 'words'), ('pattern', 'pattern'), ('links', 'many links'), ('repeated', 'repeated text')], max_length=16)),
                ('action', models.CharField(choices=[('hold', 'hold for a moderator'), ('spam', 'remove as spam')], max_length=16)),
                ('body', models.TextField(blank=True, help_text='words, one a line, or the pattern')),
                ('most', models.IntegerField(default=0, help_text='links, or times a text is said, that are still all right')),
                ('site', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='archive.site')),
            ],
            options={
                'ordering': ['-is_on', 'name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.IntegerField()),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('log_entry', models.BigIntegerField(default=0, help_text="the log's last entry then: what was decided later stays")),
                ('after_article', models.BigIntegerField(default=0, help_text='articles up to this one were looked at')),
                ('looked_at', models.IntegerField(default=0, help_text='comments')),
                ('hits', models.IntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
                ('decision_id', models.BigIntegerField(help_text='by which the hits were decided on', null=True)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='archive.rule')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='TrialHit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('article_id', models.BigIntegerField()),
                ('comment_id', models.BigIntegerField()),
                ('at', models.JSONField(default=list)),
                ('trial', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='archive.trial')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='RuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(max_length=16)),
                ('action', models.CharField(max_length=16)),
                ('body', models.TextField(blank=True)),
                ('most', models.IntegerField(default=0)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('by_name', models.CharField(max_length=150)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='archive.rule')),
            ],
            options={
                'ordering': ['rule', '-number'],
                'constraints': [models.UniqueConstraint(fields=('rule', 'number'), name='rule_version_once')],
            },
        ),
    ]
