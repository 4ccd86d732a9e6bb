"""The search index behind one interface. This engine is Postgres full text in a table of its own.

It returns ids only; rows come from ``queries`` through ``visible_to``. Words are stemmed in the languages of
SEARCH_LANGUAGES and matched as written in all others; no word is a stop word, so that "the" in a phrase counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from archive.models import Article, Comment, SearchDocument
from archive.queries import ArticleQuerySet
from archive.search.grammar import Query, Term

# ISO 639-1 -> the configuration that migration 0002 makes from Postgres's snowball stemmers, without stop words.
STEMMERS = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
MAX_INDEXED = 250_000  # code points of one text; a tsvector may not exceed 1 MB


class Document(NamedTuple):
    id: int
    article_id: int
    comment_id: int | None


def configuration(language: str) -> str:
    """The name of the text search configuration for an article's language."""
    return f"afterword_{language}" if language in _stemmed() else "simple"


def _stemmed() -> list[str]:
    return [language for language in settings.SEARCH_LANGUAGES if language in STEMMERS]


def _matches(term: Term) -> SearchQuery:
    kind = "phrase" if term.phrase else "plain"
    configurations = ["simple", *(configuration(language) for language in _stemmed())]
    return reduce(or_, (SearchQuery(term.text, config=c, search_type=kind) for c in configurations))


def _matching(query: Query) -> QuerySet[SearchDocument]:
    """Documents with every wanted term and none that is excluded; none where nothing is wanted."""
    if not query.wanted:
        return SearchDocument.objects.none()
    found = SearchDocument.objects.filter(vector=reduce(and_, map(_matches, query.wanted)))
    unwanted = [_matches(term) for term in query.terms if term.excluded]
    return found.exclude(vector=reduce(or_, unwanted)) if unwanted else found


def search(query: Query, *, articles: ArticleQuerySet | None, before: int | None, limit: int) -> list[Document]:
    """The newest ``limit`` documents that match, below the document id ``before``, of ``articles`` where given."""
    found = _matching(query)
    if articles is not None:
        found = found.filter(article_id__in=articles.order_by().values("pk"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = found.order_by("-pk").values_list("pk", "article_id", "comment_id")[:limit]
    return [Document._make(row) for row in rows]


_INDEX_ARTICLE = """
    INSERT INTO archive_searchdocument (article_id, comment_id, vector)
    SELECT id, NULL, setweight(to_tsvector(%(config)s::regconfig, title), 'A')
        || to_tsvector(%(config)s::regconfig, left(body, %(most)s))
    FROM archive_article WHERE id = %(article)s AND status = %(shown)s
    ON CONFLICT (article_id, comment_id) DO UPDATE SET vector = excluded.vector
"""
_INDEX_COMMENTS = """
    INSERT INTO archive_searchdocument (article_id, comment_id, vector)
    SELECT article_id, id, to_tsvector('simple', author_name)
        || to_tsvector(%(config)s::regconfig, left(body, %(most)s))
    FROM archive_comment
    WHERE article_id = %(article)s AND status = %(shown)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
    ORDER BY thread_rank
    ON CONFLICT (article_id, comment_id) DO UPDATE SET vector = excluded.vector
"""


def index(article_id: int, comment_ids: Sequence[int] | None) -> None:
    """Make the index say of the article, or of these comments of it, what a reader can see now."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two workers on one article: the second waits here and then reads what is true by then.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('search', %s))", [article_id])
        article = Article.objects.filter(pk=article_id).only("language", "status").first()
        stale = SearchDocument.objects.filter(article_id=article_id)
        if comment_ids is not None:
            stale = stale.filter(comment_id__in=comment_ids)
        if article is None or article.status != Article.Status.PUBLISHED:
            stale.delete()
            return
        stale.filter(comment__isnull=False).exclude(
            comment__article_id=article_id, comment__status=Comment.Status.PUBLISHED
        ).delete()
        values: dict[str, Any] = {
            "article": article_id,
            "config": configuration(article.language),
            "most": MAX_INDEXED,
            "shown": "published",
            "ids": None if comment_ids is None else list(comment_ids),
        }
        if comment_ids is None:
            cursor.execute(_INDEX_ARTICLE, values)
        cursor.execute(_INDEX_COMMENTS, values)


def articles_with(query: Query) -> QuerySet[SearchDocument, int]:
    """Ids of the articles of which the text or a visible comment matches, as a subquery.

    The index may not have heard yet that a comment was hidden; that its words are there must not show.
    """
    shown = Q(comment__isnull=True) | Q(comment__status=Comment.Status.PUBLISHED)
    return _matching(query).filter(shown).order_by().values_list("article_id", flat=True)


def comments_with(query: Query, article_id: int) -> QuerySet[SearchDocument, Any]:
    """Ids of the comments of an article that match, as a subquery; some of them may have been hidden since."""
    found = _matching(query).filter(article_id=article_id, comment__isnull=False)
    return found.order_by().values("comment_id")


# One query of all phrases in all configurations: nested one in another, a few hundred would be too deep.
_SAYING = """archive_searchdocument.vector @@ (
    SELECT string_agg('(' || query::text || ')', ' | ')::tsquery
    FROM unnest(%s::text[]) AS phrase, unnest(%s::text[]) AS config,
        phraseto_tsquery(config::regconfig, phrase) AS query
    WHERE numnode(query) > 0
)"""


def saying(phrases: Sequence[str]) -> QuerySet[SearchDocument]:
    """Documents with one of these sequences of words; none where there are none."""
    if not phrases:
        return SearchDocument.objects.none()
    configurations = ["simple", *(configuration(language) for language in _stemmed())]
    matches = RawSQL(_SAYING, [list(phrases), configurations], BooleanField())  # noqa: S611  a constant
    return SearchDocument.objects.filter(matches)


# Each phrase is looked up for itself: of one query of hundreds, the index would weigh each document against all.
_REPEATING = """
    SELECT DISTINCT found.article_id, found.comment_id
    FROM unnest(%(phrases)s::text[], %(languages)s::text[]) AS said (phrase, config),
    LATERAL (
        SELECT article_id, comment_id FROM archive_searchdocument
        WHERE vector @@ phraseto_tsquery(said.config::regconfig, said.phrase) LIMIT %(most)s
    ) AS found
"""


def repeating(phrases: Sequence[tuple[str, str]], *, most: int) -> set[tuple[int, int | None]]:
    """Article and comment (None: its own text) that say one of these; with each phrase, the language that it is in.

    At most ``most`` for each phrase.
    """
    with connection.cursor() as cursor:
        texts = [phrase for phrase, _ in phrases]
        languages = [configuration(language) for _, language in phrases]
        cursor.execute(_REPEATING, {"phrases": texts, "languages": languages, "most": most})
        return set(cursor.fetchall())


def comment_ids_with(query: Query) -> QuerySet[SearchDocument, Any]:
    """Ids of the comments that match, as a subquery; some of them may have been hidden since."""
    return _matching(query).filter(comment__isnull=False).order_by().values("comment_id")
