"""Sites, their articles, and the names under which people wrote there."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import timezone

from archive.ingest.records import Basis

BASIS = [(basis.value, basis.value) for basis in Basis]


class Site(models.Model):
    """Where discussions come from: a newspaper, a blog, a forum, a list."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    url = models.URLField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("site", args=[self.pk, self.slug if self.slug != "feed" else "-"])


class Author(models.Model):
    """A name within a site: nothing more is known, and two sites' equal names are not one person."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    name = models.CharField(max_length=500)
    key = models.BinaryField(max_length=32, help_text="sha256 of the name")

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="author_once_per_site")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("author", args=[self.pk])


class Article(models.Model):
    """What the discussion is about. Rows are written by ``ingest.loader``, ``status`` by ``moderation``."""

    class Status(models.TextChoices):
        PUBLISHED = "published", "published"
        IN_REVIEW = "in_review", "waiting for review"
        HIDDEN = "hidden", "hidden by a moderator"

    site = models.ForeignKey(Site, on_delete=models.PROTECT, db_index=False)
    source = models.ForeignKey("archive.Source", on_delete=models.PROTECT)
    key = models.BinaryField(max_length=32, help_text="sha256 of the discussion's name within its site")
    digest = models.BinaryField(max_length=32, help_text="sha256 of the discussion as it was last read")
    title = models.CharField(max_length=500)
    title_basis = models.CharField(max_length=8, choices=BASIS)
    slug = models.SlugField(max_length=100, allow_unicode=True, db_index=False)
    url = models.URLField(max_length=2000, blank=True)
    byline = models.CharField(max_length=500, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=3, blank=True, help_text="ISO 639, empty where it could not be told")
    body = models.TextField()
    html = models.TextField(help_text="derived from the body: safe to show")
    span_start = models.IntegerField(null=True)
    span_end = models.IntegerField(null=True)
    comment_count = models.IntegerField(default=0, help_text="comments that readers can see")
    last_comment_at = models.DateTimeField(null=True)
    activity = models.JSONField(
        default=dict, help_text="comments that readers can see, by their day, or by month or year where days are many"
    )
    counted_comments = models.IntegerField(
        null=True, help_text="as the tallies have it; null where they do not count it"
    )
    counted_month = models.CharField(max_length=7, blank=True, help_text="of publication: 2017-03, or undated")
    imported_at = models.DateTimeField(auto_now_add=True)
    version = models.IntegerField(default=1, help_text="grows with each visible change")
    changed_at = models.DateTimeField(default=timezone.now, help_text="of the last visible change")
    status = models.CharField(max_length=16, choices=Status, default=Status.PUBLISHED)
    is_erased = models.BooleanField(default=False, help_text="its own text; the comments under it stay")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="article_once_per_site")]
        indexes = [
            models.Index(fields=["-comment_count", "-id"], name="article_most_discussed"),
            models.Index(fields=["published_at"], name="article_published_at"),
            models.Index(fields=["language", "-id"], name="article_by_language"),
            models.Index(fields=["site", "-id"], name="article_by_site"),
            models.Index(fields=["site", "-comment_count", "-id"], name="article_site_discussed"),
            models.Index(fields=["counted_month", "-comment_count", "-id"], name="article_month_discussed"),
            models.Index(
                Left("counted_month", 4), F("comment_count").desc(), F("id").desc(), name="article_year_discussed"
            ),
            models.Index(
                F("site"),
                Left("counted_month", 4),
                F("comment_count").desc(),
                F("id").desc(),
                name="article_site_year_discussed",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        slug = self.slug if self.slug not in {"", "feed", "source"} else "-"  # these addresses are taken
        return reverse("article", args=[self.pk, slug])


class Tally(models.Model):
    """So many articles and comments that readers can see more or fewer: the sum over the rows is how many there are.

    Each is counted for its site and for the whole archive (``site`` null), for all time and for the month in which the
    article was published. ``counters`` only ever adds rows, so that no two imports wait for each other; a worker sums
    them up.
    """

    ALL = "all"
    UNDATED = "undated"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, null=True, db_index=False)
    month = models.CharField(max_length=7, help_text="2017-03, undated, or all")
    articles = models.BigIntegerField()
    comments = models.BigIntegerField()
    summed = models.BooleanField(default=False, help_text="by the worker: the only row of its site and month then")

    class Meta:
        verbose_name_plural = "tallies"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["site", "month"], name="tally_by_site"),
            models.Index(fields=["month", "site"], name="tally_by_month"),
            models.Index(fields=["id"], name="tally_not_summed", condition=models.Q(summed=False)),
        ]

    def __str__(self) -> str:
        return f"{self.articles:+} articles, {self.comments:+} comments in {self.month}"
