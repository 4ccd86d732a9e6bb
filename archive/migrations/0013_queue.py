"""What waits for a person, and how much does; reviews that are open wait from the start."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPEN_REVIEWS = """
    INSERT INTO archive_waiting (kind, site_id, article_id, why, score, created_at)
    SELECT 'review', article.site_id, article.id, jsonb_build_object('uncertain', review.uncertain), 0, review.opened_at
    FROM archive_review AS review JOIN archive_article AS article ON article.id = review.article_id
    WHERE review.is_open AND article.status IN ('published', 'in_review') ORDER BY article.id
"""
OPEN_REPORTS = """
    INSERT INTO archive_waiting (kind, site_id, article_id, comment_id, why, score, created_at)
    SELECT 'report', article.site_id, article.id, report.comment_id, '{}', count(*), min(report.created_at)
    FROM archive_report AS report JOIN archive_article AS article ON article.id = report.article_id
    WHERE report.outcome = '' GROUP BY article.id, report.comment_id
"""
COUNTED = """
    INSERT INTO archive_waitingtally (kind, site_id, waiting)
    SELECT kind, site_id, count(*) FROM archive_waiting GROUP BY 1, 2
"""


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0012_causes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WaitingTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('site_id', models.BigIntegerField(null=True)),
                ('waiting', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'waiting tallies',
                'ordering': ['id'],
            },
        ),
        migrations.AlterField(
            model_name='decision',
            name='action',
            field=models.CharField(choices=[('hide', 'hid'), ('restore', 'restored'), ('bulk', 'decided on several'), ('undo', 'undid'), ('correct', 'corrected'), ('publish', 'published'), ('reopen', 'reopened'), ('discard', 'discarded corrections of'), ('hold', 'held'), ('spam', 'marked as spam'), ('mask', 'masked words of'), ('erase', 'erased'), ('open', 'opened'), ('change', 'changed'), ('close', 'closed'), ('approve', 'approved')], max_length=16),
        ),
        migrations.CreateModel(
            name='Waiting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='name of a class in archive.admin.cards', max_length=16)),
                ('site_id', models.BigIntegerField(null=True)),
                ('article_id', models.BigIntegerField(null=True)),
                ('comment_id', models.BigIntegerField(null=True)),
                ('subject_id', models.BigIntegerField(null=True)),
                ('why', models.JSONField(default=dict, help_text='numbers, names and offsets; no text of a comment')),
                ('score', models.FloatField(default=0, help_text='the higher, the sooner; it never decides')),
                ('created_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('decision_id', models.BigIntegerField(help_text='the decision that settled it', null=True)),
                ('claimed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'waiting',
                'ordering': ['-score', 'id'],
                'indexes': [models.Index(models.OrderBy(models.F('score'), descending=True), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_in_order'), models.Index(models.F('kind'), models.OrderBy(models.F('score'), descending=True), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_by_kind'), models.Index(models.F('site_id'), models.OrderBy(models.F('score'), descending=True), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_by_site'), models.Index(fields=['article_id', 'comment_id'], name='waiting_by_target'), models.Index(condition=models.Q(('decision_id__isnull', False)), fields=['decision_id'], name='waiting_by_decision')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('settled_at__isnull', True)), fields=('kind', 'article_id', 'comment_id', 'subject_id'), name='waiting_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL([OPEN_REVIEWS, OPEN_REPORTS, COUNTED], migrations.RunSQL.noop),
    ]
