"""Reports with a note, an answer and an address at which it is read; how many came from whom."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0015_cases'),
    ]

    operations = [
        migrations.CreateModel(
            name='Sent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.BinaryField(max_length=32)),
                ('hour', models.DateTimeField()),
                ('reports', models.IntegerField()),
            ],
            options={
                'verbose_name_plural': 'sent',
                'ordering': ['hour'],
            },
        ),
        migrations.AddField(
            model_name='report',
            name='decision_id',
            field=models.BigIntegerField(help_text='what was decided on it', null=True),
        ),
        migrations.AddField(
            model_name='report',
            name='note',
            field=models.CharField(blank=True, max_length=1000),
        ),
        migrations.AddField(
            model_name='report',
            name='sender',
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='report',
            name='token',
            field=models.CharField(max_length=43, null=True, unique=True),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['article_id', 'comment_id'], name='report_by_target'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(condition=models.Q(('decision_id__isnull', False)), fields=['decision_id'], name='report_by_decision'),
        ),
        migrations.AddConstraint(
            model_name='sent',
            constraint=models.UniqueConstraint(fields=('sender', 'hour'), name='sent_once_an_hour'),
        ),
    ]
