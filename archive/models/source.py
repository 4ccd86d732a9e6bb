"""What was received, and what is still to be told to whoever derives something from it."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Source(models.Model):
    """One file, paste or stream as it was received. Written by ``ingest.importer``; only an erasure changes it.

    ``content`` is the zstd-compressed bytes; null for sources above the documented limit, of which name, size and
    digest are kept. ``sha256`` stays that of what was received, also where people had a part of it erased:
    ``redacted`` then says for which case, when, and how many code points were overwritten.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "waiting"
        ASKED = "asked", "waiting for your word"
        RUNNING = "running", "being read"
        DONE = "done", "imported"
        REJECTED = "rejected", "rejected"

    sha256 = models.CharField(max_length=64, unique=True)
    format = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=500)
    size = models.BigIntegerField(help_text="bytes")
    content = models.BinaryField(null=True)
    encoding = models.CharField(max_length=32, blank=True)
    reader_version = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)
    progress = models.IntegerField(default=0, help_text="comments stored so far")
    report = models.JSONField(default=dict)
    redacted = models.JSONField(default=list, help_text="one entry for each erasure that overwrote a part of it")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Outbox(models.Model):
    """An article that changed and is not yet indexed. Written in the transaction of the change; emptied by the worker.

    ``comment_ids`` narrows the work to some comments of the article; null means the whole of it.
    """

    article_id = models.BigIntegerField()
    comment_ids = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "outbox"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"article {self.article_id}"


class SearchDocument(models.Model):
    """The Postgres search engine's table: derived and rebuildable. Written by ``search.sync`` alone."""

    article = models.ForeignKey("archive.Article", on_delete=models.CASCADE, db_index=False)
    comment = models.ForeignKey("archive.Comment", on_delete=models.CASCADE, null=True, db_index=False)
    vector = SearchVectorField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["article", "comment"], name="search_document_once", nulls_distinct=False),
        ]
        indexes = [GinIndex(fields=["vector"], name="search_document_vector")]

    def __str__(self) -> str:
        return f"article {self.article_id} comment {self.comment_id}"
