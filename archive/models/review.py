"""Reviews of recovered discussions: what the machine proposed, and, apart from it, what people corrected."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from archive.models.article import Article


class Review(models.Model):
    """An article whose structure is or was under review. Rows are written by ``archive.review`` and ``ingest.loader``.

    ``version`` is the number of the last correction: who corrects says which one they saw. Those after ``published``
    are a draft, which no reader sees. ``is_open`` says that there may be one, and is always so for an article that
    was never published. ``proposal`` is the machine's reading as ``ingest.corrections.to_json`` writes it, offsets
    without text; null until somebody looks.
    """

    article = models.OneToOneField(Article, on_delete=models.CASCADE)
    version = models.IntegerField(default=0)
    published = models.IntegerField(default=0, help_text="number of the last correction that readers see")
    is_open = models.BooleanField(default=False, help_text="somebody corrects it, or should")
    proposal = models.JSONField(null=True)
    uncertain = models.IntegerField(default=0, help_text="comments of which something is still open")
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-uncertain", "article_id"]
        indexes = [models.Index(fields=["-uncertain", "article"], name="review_open", condition=models.Q(is_open=True))]

    def __str__(self) -> str:
        return f"review of article {self.article_id}"


class Correction(models.Model):
    """One step of a review: an operation, or ``undo``, ``redo`` or ``discard`` of some. Never changed or deleted."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False)
    number = models.IntegerField()
    operation = models.JSONField()
    words = models.CharField(max_length=200, help_text="what was done, without a word of the source")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["article_id", "number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="correction_once")]

    def __str__(self) -> str:
        return f"correction {self.number} of article {self.article_id}"
