"""People, organisations and places, the names they go by, and where they are mentioned."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.text import slugify

from archive.models.article import Article
from archive.models.comment import Comment


def entity_slug(name: str) -> str:
    slug = slugify(name, allow_unicode=True)
    return slug if slug not in {"", "feed"} else "-"  # that address is taken


class Entity(models.Model):
    """Someone or something that texts mention. Merged entities stay and point at the one they became."""

    class Kind(models.TextChoices):
        PERSON = "person", "person"
        ORGANISATION = "org", "organisation"
        PLACE = "place", "place"

    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    external_ids = models.JSONField(default=dict, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    mention_count = models.IntegerField(default=0, help_text="mentions in texts that readers can see")

    class Meta:
        ordering = ["-mention_count", "name", "id"]
        verbose_name_plural = "entities"
        indexes = [models.Index(fields=["-mention_count", "id"], name="entity_most_mentioned")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("entity", args=[self.pk, entity_slug(self.name)])


class Alias(models.Model):
    """A normalised name that leads to an entity. ``key`` comes from ``entities.names.key``."""

    entity = models.ForeignKey(Entity, on_delete=models.CASCADE)
    kind = models.CharField(max_length=8, choices=Entity.Kind)
    key = models.CharField(max_length=300)
    taught = models.BooleanField(default=False, help_text="by a person, not by a machine")

    class Meta:
        ordering = ["key", "id"]
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="alias_leads_to_one_entity")]

    def __str__(self) -> str:
        return self.key


class Mention(models.Model):
    """A place in a text where an entity is named. ``comment`` is null for the article's own text.

    ``start`` and ``end`` count code points of the body's revision, half-open. Machine rows are written by
    ``entities.resolver``, which replaces only unreviewed rows of the same extractor.
    """

    class Review(models.TextChoices):
        SUGGESTED = "suggested", "suggested"
        CONFIRMED = "confirmed", "confirmed"
        REJECTED = "rejected", "rejected"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False)
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, db_index=False)
    revision = models.IntegerField(help_text="the version of the text that the offsets count in")
    start = models.IntegerField()
    end = models.IntegerField()
    surface = models.CharField(max_length=300)
    extractor = models.CharField(max_length=64)
    extractor_version = models.CharField(max_length=64)
    score = models.FloatField(null=True)
    review = models.CharField(max_length=16, choices=Review, default=Review.SUGGESTED)

    class Meta:
        ordering = ["article_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "comment", "start", "end", "extractor"], name="mention_once", nulls_distinct=False
            ),
        ]
        indexes = [models.Index(fields=["entity", "-id"], name="mention_by_entity")]

    def __str__(self) -> str:
        return self.surface


class Judgement(models.Model):
    """A person's or rule's word on a mention or an entity, remembered so that no re-run undoes it."""

    class Verdict(models.TextChoices):
        CONFIRM = "confirm", "confirm"
        REJECT = "reject", "reject"
        MERGE = "merge", "merge"
        SPLIT = "split", "split"

    class Scope(models.TextChoices):
        HERE = "here", "this mention"
        ARTICLE = "article", "this article"
        EVERYWHERE = "everywhere", "everywhere"

    verdict = models.CharField(max_length=16, choices=Verdict)
    scope = models.CharField(max_length=16, choices=Scope, default=Scope.HERE)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT)
    other = models.ForeignKey(Entity, on_delete=models.PROTECT, null=True, related_name="judged_against")
    article_id = models.BigIntegerField(null=True)
    comment_id = models.BigIntegerField(null=True)
    start = models.IntegerField(null=True)
    end = models.IntegerField(null=True)
    surface = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["article_id"], name="judgement_by_article")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.surface}"
