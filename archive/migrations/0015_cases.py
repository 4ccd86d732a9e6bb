"""A case has a scope, states, dated notes, and what a mask covered; a source says what was erased of it."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def notes_apart(apps: Any, schema_editor: Any) -> None:
    """The one text of a case's notes becomes its first note; who closed a case has closed it."""
    case, note = apps.get_model("archive", "Case"), apps.get_model("archive", "CaseNote")
    case.objects.filter(closed_at__isnull=False).update(state="closed")
    for one in case.objects.exclude(notes=""):
        note.objects.create(case=one, text=one.notes, by_name="")


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0014_decision_by_action'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('by_name', models.CharField(max_length=150)),
                ('text', models.TextField()),
            ],
            options={
                'ordering': ['case_id', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Masked',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('article_id', models.BigIntegerField(null=True)),
                ('table', models.CharField(max_length=32)),
                ('row', models.BigIntegerField()),
                ('field', models.CharField(max_length=32)),
                ('before', models.TextField()),
                ('after', models.TextField()),
            ],
            options={
                'verbose_name_plural': 'masked',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', models.CharField(max_length=32, unique=True)),
                ('applied_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='case',
            name='contact',
            field=models.CharField(blank=True, help_text='where an answer reaches them', max_length=300),
        ),
        migrations.AddField(
            model_name='case',
            name='erase_after',
            field=models.DateTimeField(help_text='end of the cooling-off period', null=True),
        ),
        migrations.AddField(
            model_name='case',
            name='erase_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='case',
            name='erase_entry',
            field=models.CharField(blank=True, help_text='its entry in the list of suppressions', max_length=32),
        ),
        migrations.AddField(
            model_name='case',
            name='erase_second',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='case',
            name='outcome',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='case',
            name='scope',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='case',
            name='state',
            field=models.CharField(choices=[('open', 'open'), ('held', 'held'), ('masked', 'masked'), ('scheduled', 'scheduled for erasure'), ('erased', 'erased'), ('refused', 'refused'), ('closed', 'closed')], default='open', max_length=16),
        ),
        migrations.AddField(
            model_name='case',
            name='words',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='case',
            name='work',
            field=models.CharField(blank=True, help_text='what a worker is doing for it', max_length=16),
        ),
        migrations.AddField(
            model_name='case',
            name='work_done',
            field=models.IntegerField(default=0, help_text='articles that are done'),
        ),
        migrations.AddField(
            model_name='case',
            name='work_total',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='source',
            name='redacted',
            field=models.JSONField(default=list, help_text='one entry for each erasure that overwrote a part of it'),
        ),
        migrations.AlterField(
            model_name='case',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='case',
            name='opened_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='case',
            name='requester',
            field=models.CharField(help_text='who asks: a name', max_length=300),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['deadline', 'id'], name='case_open'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(condition=models.Q(('case_id__isnull', False)), fields=['case_id'], name='decision_by_case'),
        ),
        migrations.AddField(
            model_name='casenote',
            name='by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='casenote',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='archive.case'),
        ),
        migrations.RunPython(notes_apart, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(
            model_name='case',
            name='notes',
        ),
        migrations.AlterField(
            model_name='casenote',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='archive.case'),
        ),
        migrations.AddField(
            model_name='masked',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='archive.case'),
        ),
        migrations.AddIndex(
            model_name='masked',
            index=models.Index(fields=['case', 'article_id'], name='masked_by_case'),
        ),
    ]
