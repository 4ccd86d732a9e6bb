"""Comments in thread order, and what they said before."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from archive.models.article import BASIS, Article, Author
from archive.models.moderation import Decision


class Reason(models.Model):
    """Why something was inferred, in words that a reader understands: kept once, however many comments share it."""

    id = models.AutoField(primary_key=True)
    text = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


def _reason() -> models.ForeignKey[Reason | None, Reason | None]:
    """Four bytes, or none: reasons are never deleted, so that the database need not check each row against them."""
    return models.ForeignKey(
        Reason, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )


class Comment(models.Model):
    """A comment under an article. Rows are written by ``ingest.loader``, ``status`` by ``moderation``.

    ``thread_rank`` is the pre-order number in the article, ``subtree_size`` the number of descendants: the subtree
    of a comment is ``thread_rank .. thread_rank + subtree_size``. ``position`` is its place in the source.
    """

    class Status(models.TextChoices):
        PUBLISHED = "published", "published"
        HELD = "held", "waiting for a moderator"
        HIDDEN = "hidden", "hidden by a moderator"
        SPAM = "spam", "removed as spam"
        REMOVED = "removed", "removed where it was first published"
        ERASED = "erased", "erased"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="replies")
    external_id = models.TextField(help_text="the comment's name in its source")
    external_key = models.BinaryField(max_length=32, help_text="sha256 of it")
    missing_parent = models.TextField(blank=True, help_text="the name of a parent that the source does not have")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, null=True, db_index=False)
    author_name = models.CharField(max_length=500, blank=True)
    posted_at = models.DateTimeField(null=True)
    body = models.TextField()
    html = models.TextField(help_text="derived from the body: safe to show")
    position = models.IntegerField()
    thread_rank = models.IntegerField()
    depth = models.IntegerField()
    subtree_size = models.IntegerField()
    status = models.CharField(max_length=16, choices=Status, default=Status.PUBLISHED)
    cause = models.CharField(
        max_length=16, choices=Decision.Cause, blank=True, help_text="why its status is not published"
    )
    version = models.IntegerField(default=1)
    span_start = models.IntegerField(null=True)
    span_end = models.IntegerField(null=True)
    boundary_basis = models.CharField(max_length=8, choices=BASIS)
    boundary_confidence = models.FloatField(null=True)
    parent_basis = models.CharField(max_length=8, choices=BASIS)
    parent_confidence = models.FloatField(null=True)
    author_basis = models.CharField(max_length=8, choices=BASIS)
    author_confidence = models.FloatField(null=True)
    date_basis = models.CharField(max_length=8, choices=BASIS)
    date_confidence = models.FloatField(null=True)
    boundary_reason = _reason()
    parent_reason = _reason()
    author_reason = _reason()
    date_reason = _reason()

    class Meta:
        ordering = ["article_id", "thread_rank"]
        constraints = [models.UniqueConstraint(fields=["article", "external_key"], name="comment_once_per_article")]
        indexes = [
            models.Index(fields=["article", "thread_rank"], name="comment_thread_order"),
            models.Index(fields=["article", "-id"], name="comment_newest"),
            models.Index(
                fields=["article", "span_start"], name="comment_in_source", condition=models.Q(span_start__isnull=False)
            ),
            models.Index(fields=["author", "-id"], name="comment_by_author", condition=models.Q(author__isnull=False)),
            models.Index(
                fields=["article", "author"], name="comment_by_author_here", condition=models.Q(author__isnull=False)
            ),
            models.Index(
                fields=["article", "posted_at"], name="comment_by_date", condition=models.Q(posted_at__isnull=False)
            ),
        ]
        permissions = [("moderate_comment", "Can hide and restore comments and undo decisions")]

    def __str__(self) -> str:
        return f"comment {self.position + 1} on article {self.article_id}"

    def get_absolute_url(self) -> str:
        return reverse("comment", args=[self.article_id, self.pk])


class FormerComment(models.Model):
    """The id of a comment that is none of its own any more: where it leads, and by what it may come back.

    ``heir_id`` is the comment that it was joined into; null where its text is in no comment. Written by
    ``ingest.loader``.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False)
    comment_id = models.BigIntegerField()
    heir_id = models.BigIntegerField(null=True)
    external_key = models.BinaryField(max_length=32)
    span_start = models.IntegerField(null=True)
    span_end = models.IntegerField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["article_id", "comment_id"]
        constraints = [models.UniqueConstraint(fields=["article", "comment_id"], name="former_comment_once")]

    def __str__(self) -> str:
        return f"former comment {self.comment_id} on article {self.article_id}"


class ThreadOrder(models.Model):
    """Another order of a long thread, down to some level: ranks, four bytes each (``threads.packed``).

    A page is a part of the string, which Postgres reads without the rest: it is kept out of line, not compressed.
    Written by ``ingest.loader`` with the comments. What a moderator decides does not change it: places are kept.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False)
    sort = models.CharField(max_length=16)
    levels = models.SmallIntegerField(help_text="how many are in it; 0 for all")
    ranks = models.BinaryField()

    class Meta:
        ordering = ["article_id", "sort", "levels"]
        constraints = [models.UniqueConstraint(fields=["article", "sort", "levels"], name="thread_order_once")]

    def __str__(self) -> str:
        return f"{self.sort}, {self.levels} levels, of article {self.article_id}"


class Revision(models.Model):
    """The text of an article or comment before it was replaced. ``comment`` is null for the article's own text."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE)
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, db_index=False)
    number = models.IntegerField(help_text="the version that had this text")
    cause = models.CharField(max_length=32)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["article_id", "comment_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "comment", "number"], name="revision_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"
