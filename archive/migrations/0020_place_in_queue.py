"""A place in the queue is found by one comparison, and what a rule holds by its rule."""

import django.db.models.expressions
from django.db import migrations, models

NAMED = """
    UPDATE archive_waiting SET rule_id = (why #>> '{rules,0,rule}')::bigint WHERE kind = 'held' AND why ? 'rules'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0019_rule_masks'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='waiting',
            name='waiting_in_order',
        ),
        migrations.RemoveIndex(
            model_name='waiting',
            name='waiting_by_kind',
        ),
        migrations.RemoveIndex(
            model_name='waiting',
            name='waiting_by_site',
        ),
        migrations.AddField(
            model_name='waiting',
            name='rule_id',
            field=models.BigIntegerField(help_text='the rule that holds it: the first of those that hit', null=True),
        ),
        migrations.RunSQL(NAMED, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(django.db.models.expressions.CombinedExpression(models.F('score'), '*', models.Value(-1)), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_in_order'),
        ),
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(models.F('kind'), django.db.models.expressions.CombinedExpression(models.F('score'), '*', models.Value(-1)), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_by_kind'),
        ),
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(models.F('site_id'), django.db.models.expressions.CombinedExpression(models.F('score'), '*', models.Value(-1)), models.F('id'), condition=models.Q(('settled_at__isnull', True)), name='waiting_by_site'),
        ),
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(models.F('rule_id'), django.db.models.expressions.CombinedExpression(models.F('score'), '*', models.Value(-1)), models.F('id'), condition=models.Q(('settled_at__isnull', True), ('rule_id__isnull', False)), name='waiting_by_rule'),
        ),
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(condition=models.Q(('settled_at__isnull', True), ('rule_id__isnull', False)), fields=['rule_id', 'site_id'], name='waiting_rules_by_site'),
        ),
    ]
