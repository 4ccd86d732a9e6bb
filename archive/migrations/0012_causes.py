"""Why a comment is not shown, apart from that it is not; what belongs to a decision besides its states."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0011_asked'),
    ]

    operations = [
        migrations.AddField(
            model_name='comment',
            name='cause',
            field=models.CharField(blank=True, choices=[('moderator', "a moderator's decision"), ('rule', 'a rule'), ('case', 'a case'), ('source', 'the site that it comes from')], help_text='why its status is not published', max_length=16),
        ),
        migrations.AddField(
            model_name='decision',
            name='case_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='decision',
            name='cause',
            field=models.CharField(blank=True, choices=[('moderator', "a moderator's decision"), ('rule', 'a rule'), ('case', 'a case'), ('source', 'the site that it comes from')], max_length=16),
        ),
        migrations.AddField(
            model_name='decision',
            name='detail',
            field=models.JSONField(default=dict, help_text='numbers and names that belong to it; no text of a comment'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='action',
            field=models.CharField(choices=[('hide', 'hid'), ('restore', 'restored'), ('bulk', 'decided on several'), ('undo', 'undid'), ('correct', 'corrected'), ('publish', 'published'), ('reopen', 'reopened'), ('discard', 'discarded corrections of'), ('hold', 'held'), ('spam', 'marked as spam'), ('mask', 'masked words of'), ('erase', 'erased'), ('open', 'opened'), ('change', 'changed'), ('close', 'closed')], max_length=16),
        ),
        migrations.AlterField(
            model_name='decision',
            name='target',
            field=models.CharField(help_text='what was decided on: comment, article, structure, case ...', max_length=16),
        ),
    ]
