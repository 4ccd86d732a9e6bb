"""A draft beside the live version: which corrections readers see, and which reviews are open."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def take_over(apps: Any, schema_editor: object) -> None:
    """What is in review now is open; of everything else readers see all corrections."""
    reviews = apps.get_model("archive", "Review").objects
    reviews.filter(article__status="in_review").update(is_open=True)
    reviews.filter(is_open=False).update(published=F("version"))


class Migration(migrations.Migration):
    dependencies = [("archive", "0003_review")]

    operations = [
        migrations.RemoveIndex(model_name="review", name="review_most_uncertain"),
        migrations.AddField(
            model_name="review",
            name="is_open",
            field=models.BooleanField(default=False, help_text="somebody corrects it, or should"),
        ),
        migrations.AddField(
            model_name="review",
            name="published",
            field=models.IntegerField(default=0, help_text="number of the last correction that readers see"),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="decision",
            name="action",
            field=models.CharField(
                choices=[
                    ("hide", "hid"),
                    ("restore", "restored"),
                    ("bulk", "decided on several"),
                    ("undo", "undid"),
                    ("correct", "corrected"),
                    ("publish", "published"),
                    ("reopen", "reopened"),
                    ("discard", "discarded corrections of"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(
                condition=models.Q(("is_open", True)), fields=["-uncertain", "article"], name="review_open"
            ),
        ),
    ]
