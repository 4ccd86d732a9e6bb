"""Rules that cover the words they find, and what was there before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0018_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='masked',
            name='comment_id',
            field=models.BigIntegerField(help_text='to which the row belongs, where a rule masked it', null=True),
        ),
        migrations.AddField(
            model_name='masked',
            name='decision_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='masked',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='archive.ruleversion'),
        ),
        migrations.AddField(
            model_name='trial',
            name='applied_at',
            field=models.DateTimeField(help_text='when a worker was asked to mask the hits', null=True),
        ),
        migrations.AddField(
            model_name='trial',
            name='skipped',
            field=models.IntegerField(default=0, help_text='hits that were no hits any more when it did'),
        ),
        migrations.AddField(
            model_name='trial',
            name='places',
            field=models.IntegerField(default=0, help_text='in these, where the rule masks'),
        ),
        migrations.AlterField(
            model_name='masked',
            name='case',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='archive.case'),
        ),
        migrations.AlterField(
            model_name='rule',
            name='action',
            field=models.CharField(choices=[('hold', 'hold for a moderator'), ('spam', 'remove as spam'), ('mask', 'cover the words')], max_length=16),
        ),
        migrations.AddIndex(
            model_name='masked',
            index=models.Index(fields=['article_id', 'comment_id'], name='masked_in_article'),
        ),
        migrations.AddIndex(
            model_name='masked',
            index=models.Index(condition=models.Q(('decision_id__isnull', False)), fields=['decision_id', 'article_id'], name='masked_by_decision'),
        ),
        migrations.AddConstraint(
            model_name='masked',
            constraint=models.CheckConstraint(condition=models.Q(('case', None), ('version', None), _connector='XOR'), name='masked_by_one'),
        ),
    ]
