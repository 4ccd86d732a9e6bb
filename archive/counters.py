"""Stored counts of what readers can see: recounted as a set, in the transaction that changed what is visible."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Now

from archive import queries
from archive.models import Article, Entity

MOST_DAYS = 366  # of an article's discussion that are counted one by one; a longer one is counted by month or year


# Days are kept as long as they are few; the activity of an article is read with its row and must stay small.
_RECOUNT = """
    WITH days AS MATERIALIZED (
        SELECT article_id, (posted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n, max(posted_at) AS last
        FROM archive_comment WHERE article_id = ANY(%(articles)s) AND status = 'published' GROUP BY 1, 2
    ), whole AS MATERIALIZED (
        SELECT article_id, sum(n) AS n, max(last) AS last,
            CASE WHEN count(day) <= %(most)s THEN 10
                WHEN count(DISTINCT to_char(day, 'YYYY-MM')) <= %(most)s THEN 7 ELSE 4 END AS length
        FROM days GROUP BY 1
    ), named AS (
        SELECT article_id, left(to_char(day, 'YYYY-MM-DD'), length) AS name, sum(days.n) AS n
        FROM days JOIN whole USING (article_id) WHERE day IS NOT NULL GROUP BY 1, 2
    ), activity AS (
        SELECT article_id, jsonb_object_agg(name, named.n) AS of_names FROM named GROUP BY 1
    )
    UPDATE archive_article AS article SET
        comment_count = coalesce(whole.n, 0),
        last_comment_at = whole.last,
        activity = coalesce(activity.of_names, '{}')
    FROM unnest(%(articles)s::bigint[]) AS asked (id)
    LEFT JOIN whole ON whole.article_id = asked.id
    LEFT JOIN activity ON activity.article_id = asked.id
    WHERE article.id = asked.id
"""
# What was counted of an article is taken away and what there is now is added: run twice, the second adds nothing.
_TALLY = """
    WITH found AS (
        SELECT id, site_id, counted_comments AS was, counted_month AS was_month,
            CASE WHEN status = 'published' THEN comment_count END AS n,
            coalesce(to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM'), 'undated') AS month
        FROM archive_article WHERE id = ANY(%(articles)s)
    ), changed AS MATERIALIZED (
        SELECT * FROM found WHERE was IS DISTINCT FROM n OR (n IS NOT NULL AND was_month <> month)
    ), step AS (
        SELECT site_id, was_month AS month, -1 AS articles, -was AS comments FROM changed WHERE was IS NOT NULL
        UNION ALL SELECT site_id, month, 1, n FROM changed WHERE n IS NOT NULL
    ), written AS (
        INSERT INTO archive_tally (site_id, month, articles, comments, summed)
        SELECT scope.site_id, scope.month, sum(articles), sum(comments), false
        FROM step, LATERAL (
            VALUES (step.site_id, step.month), (step.site_id, 'all'), (NULL, step.month), (NULL, 'all')
        ) AS scope (site_id, month)
        GROUP BY 1, 2 HAVING sum(articles) <> 0 OR sum(comments) <> 0
    )
    UPDATE archive_article AS article SET counted_comments = changed.n, counted_month = changed.month
    FROM changed WHERE changed.id = article.id
"""
_SUM_UP = """
    WITH new AS MATERIALIZED (
        SELECT DISTINCT coalesce(site_id, 0) AS site_id, month FROM archive_tally WHERE NOT summed
    ), gone AS (
        DELETE FROM archive_tally AS old USING new
        WHERE coalesce(old.site_id, 0) = new.site_id AND old.month = new.month
        RETURNING old.site_id, old.month, old.articles, old.comments
    )
    INSERT INTO archive_tally (site_id, month, articles, comments, summed)
    SELECT site_id, month, sum(articles), sum(comments), true FROM gone
    GROUP BY 1, 2 HAVING sum(articles) <> 0 OR sum(comments) <> 0
"""


def recount_articles(article_ids: Collection[int]) -> None:
    """Bring the counts of these articles, and what the tallies have of them, up to date.

    The caller holds their rows locked, or made them. Belongs behind whatever changed their state.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"articles": list(article_ids), "most": MOST_DAYS})
        cursor.execute(_TALLY, {"articles": list(article_ids)})


def raise_versions(article_ids: Collection[int]) -> None:
    """Say that what pages of these articles show has changed: finished pages of the version before are not shown again.

    Belongs into the transaction of the change.
    """
    Article.objects.filter(pk__in=article_ids).update(version=F("version") + 1, changed_at=Now())


def sum_up() -> None:
    """Make one row of all that the tallies have of a site and month. What they add up to stays the same throughout."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP)


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
