"""Stored counts of what readers can see, kept in the transaction that changed what is visible.

What imports bring in is counted as a set; decisions on comments change the counts by what they change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Now

from archive import prepared, queries
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
# Each step is counted for a site and for all of them, for a month and for all time.
_WRITE_STEPS = """
    INSERT INTO archive_tally (site_id, month, articles, comments, summed)
    SELECT scope.site_id, scope.month, sum(articles), sum(comments), false
    FROM step, LATERAL (
        VALUES (step.site_id, step.month), (step.site_id, 'all'), (NULL, step.month), (NULL, 'all')
    ) AS scope (site_id, month)
    GROUP BY 1, 2 HAVING sum(articles) <> 0 OR sum(comments) <> 0
"""
# What was counted of an article is taken away and what there is now is added: run twice, the second adds nothing.
_TALLY = f"""
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
    ), written AS ({_WRITE_STEPS})
    UPDATE archive_article AS article SET counted_comments = changed.n, counted_month = changed.month
    FROM changed WHERE changed.id = article.id
"""  # noqa: S608  made of the statement above
# The same by difference, for comments that appeared (1) or disappeared (-1) or did neither (0). The days of an article
# are right afterwards as long as they are kept as days and are few: the others are returned. Where the newest comment
# has gone, the next newest is looked up. Entities are locked in one order, so that nobody waits in a ring.
_FOLLOW = f"""
    WITH changed AS MATERIALIZED (
        SELECT comment.article_id, comment.id, comment.posted_at, asked.n
        FROM unnest(%(articles)s::bigint[], %(comments)s::bigint[], %(differences)s::bigint[])
            AS asked (article_id, id, n)
        JOIN archive_comment AS comment ON comment.article_id = asked.article_id AND comment.id = asked.id
    ), day AS (
        SELECT article_id, left(to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 10) AS name, sum(n) AS n
        FROM changed WHERE posted_at IS NOT NULL GROUP BY 1, 2
    ), whole AS (
        SELECT article_id, sum(n)::int AS n, max(posted_at) FILTER (WHERE n > 0) AS came,
            max(posted_at) FILTER (WHERE n < 0) AS went
        FROM changed GROUP BY 1
    ), now AS MATERIALIZED (
        SELECT article.id, article.status, whole.n,
            CASE WHEN whole.went >= article.last_comment_at THEN (
                SELECT posted_at FROM archive_comment WHERE article_id = article.id
                AND posted_at IS NOT NULL AND status = 'published' ORDER BY posted_at DESC LIMIT 1
            ) ELSE greatest(article.last_comment_at, whole.came) END AS last,
            article.activity - coalesce(days.empty, '{{}}') || coalesce(days.counted, '{{}}') AS activity
        FROM whole JOIN archive_article AS article ON article.id = whole.article_id, LATERAL (
            SELECT array_agg(name) FILTER (WHERE n = 0) AS empty,
                jsonb_object_agg(name, n) FILTER (WHERE n <> 0) AS counted
            FROM (
                SELECT name, coalesce((article.activity ->> name)::int, 0) + n AS n
                FROM day WHERE day.article_id = article.id
            ) AS counted
        ) AS days
    ), followed AS (
        UPDATE archive_article AS article SET
            comment_count = comment_count + now.n, counted_comments = counted_comments + now.n,
            last_comment_at = now.last, activity = now.activity, version = version + 1, changed_at = now()
        FROM now WHERE article.id = now.id
        RETURNING article.id, article.site_id, article.counted_month, article.counted_comments, now.n, now.activity
    ), step AS (
        SELECT site_id, counted_month AS month, 0 AS articles, n AS comments
        FROM followed WHERE counted_comments IS NOT NULL
    ), written AS ({_WRITE_STEPS}), named AS (
        SELECT mention.entity_id AS id, sum(changed.n)::int AS n
        FROM changed JOIN now ON now.id = changed.article_id AND now.status = 'published'
        JOIN archive_mention AS mention ON mention.article_id = changed.article_id
            AND mention.comment_id = changed.id AND mention.review <> 'rejected'
        GROUP BY 1 HAVING sum(changed.n) <> 0
    ), held AS MATERIALIZED (
        SELECT entity.id, named.n FROM archive_entity AS entity JOIN named USING (id)
        ORDER BY entity.id FOR NO KEY UPDATE OF entity
    ), mentioned AS (
        UPDATE archive_entity AS entity SET mention_count = mention_count + held.n FROM held WHERE entity.id = held.id
    )
    SELECT id FROM followed, LATERAL (
        SELECT count(*) <= %(most)s AND coalesce(min(length(name)), 10) = 10 AS exact
        FROM jsonb_object_keys(activity) AS name
    ) AS days WHERE NOT days.exact
"""  # noqa: S608  made of the statement above
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


def follow(differences: Mapping[tuple[int, int], int]) -> None:
    """Bring what readers are told about articles up to date after their comments' states were changed.

    ``differences`` is by article and comment: 1 where readers see it now, -1 where they saw it before, else 0. What
    is counted is the same as when all is counted anew, entities included, and the articles' versions are raised. The
    caller holds the articles' rows locked.
    """
    articles, comments = zip(*differences, strict=True)
    values = {"articles": list(articles), "comments": list(comments), "differences": list(differences.values())}
    if inexact := [pk for (pk,) in prepared.run(_FOLLOW, {**values, "most": MOST_DAYS})]:
        recount_articles(inexact)


def sum_up() -> None:
    """Make one row of all that the tallies have of a site and month. What they add up to stays the same throughout."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP)


def recount_entities(entity_ids: Collection[int]) -> None:
    """Bring ``mention_count`` of these entities up to date.

    They are locked first: of two transactions that counted the same entity at once each would miss the other's change.
    """
    seen = queries.mentions().in_visible_texts().filter(entity_id=OuterRef("pk")).order_by()
    per_entity = seen.values("entity_id").annotate(n=Count("pk"))
    rows = Entity.objects.filter(pk__in=entity_ids)
    with transaction.atomic():
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        rows.update(mention_count=Coalesce(Subquery(per_entity.values("n")), Value(0)))


def entities_in(article_ids: Collection[int], comment_ids: Collection[int] | None = None) -> set[int]:
    """The entities whose count changes when these articles, or only these comments of them, appear or disappear."""
    found = queries.mentions().filter(article_id__in=article_ids)
    if comment_ids is not None:
        found = found.filter(comment_id__in=comment_ids)
    return set(found.order_by().values_list("entity_id", flat=True).distinct())
