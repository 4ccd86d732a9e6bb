"""Stored counts of what readers can see: recounted as a set, in the transaction that changed what is visible."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from archive import queries
from archive.models import Article, Comment, Entity


def recount_articles(article_ids: Collection[int]) -> None:
    """Bring ``comment_count`` and ``last_comment_at`` of these articles up to date."""
    shown = Comment.objects.filter(article_id=OuterRef("pk"), status=Comment.Status.PUBLISHED).order_by()
    per_article = shown.values("article_id").annotate(n=Count("pk"), last=Max("posted_at"))
    Article.objects.filter(pk__in=article_ids).update(
        comment_count=Coalesce(Subquery(per_article.values("n")), Value(0)),
        last_comment_at=Subquery(per_article.values("last")),
    )


def recount_entities(entity_ids: Collection[int]) -> None:
    """Bring ``mention_count`` of these entities up to date."""
    seen = queries.mentions().in_visible_texts().filter(entity_id=OuterRef("pk")).order_by()
    per_entity = seen.values("entity_id").annotate(n=Count("pk"))
    Entity.objects.filter(pk__in=entity_ids).update(mention_count=Coalesce(Subquery(per_entity.values("n")), Value(0)))


def entities_in(article_ids: Collection[int], comment_ids: Collection[int] | None = None) -> set[int]:
    """The entities whose count changes when these articles, or only these comments of them, appear or disappear."""
    found = queries.mentions().filter(article_id__in=article_ids)
    if comment_ids is not None:
        found = found.filter(comment_id__in=comment_ids)
    return set(found.order_by().values_list("entity_id", flat=True).distinct())
