"""Search: text -> terms (``grammar``) -> ids (``index``) -> rows that the person may see -> snippets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import QuerySet

from archive import queries
from archive.models import Article, Comment, SearchDocument
from archive.queries import ArticleQuerySet
from archive.search import grammar, index
from archive.text import highlight

if TYPE_CHECKING:
    from archive.queries import Viewer

MAX_TEXT = 500  # characters of a search; the box takes no more either
MAX_ROUNDS = 5  # looks for more hits where some that the index still names are no longer visible


class Hit(NamedTuple):
    """An article, or a comment of it, that matches; ``snippet`` is safe HTML with ``<mark>``."""

    article: Article
    comment: Comment | None
    snippet: str


class Results(NamedTuple):
    """A page of hits, newest first. ``next`` is the ``before`` of the next page, None on the last one."""

    hits: list[Hit]
    next: int | None
    reading: str
    terms: tuple[str, ...]


def find(
    text: str, *, user: Viewer, articles: ArticleQuerySet | None = None, before: int | None = None, limit: int = 20
) -> Results:
    """What ``user`` may see that matches ``text``, among ``articles`` where given."""
    query = grammar.parse(text)
    terms = tuple(term.text for term in query.wanted)
    hits: list[tuple[int, Hit]] = []
    for _ in range(MAX_ROUNDS):
        documents = index.search(query, articles=articles, before=before, limit=limit + 1)
        hits += _visible_hits(documents, user=user, terms=terms)
        if len(documents) <= limit or len(hits) > limit:
            break
        before = documents[-1].id
    more = hits[limit - 1][0] if len(hits) > limit else None
    return Results([hit for _, hit in hits[:limit]], more, query.describe(), terms)


def articles_matching(text: str) -> QuerySet[SearchDocument, int]:
    """Ids of the articles of which the text or a comment matches, as a subquery for ``pk__in``."""
    return index.articles_with(grammar.parse(text))


def comments_matching(text: str, article_id: int) -> QuerySet[SearchDocument, Any]:
    """Ids of an article's comments that match, as a subquery for ``pk__in``; what is shown of them is to be asked."""
    return index.comments_with(grammar.parse(text), article_id)


def _visible_hits(documents: list[index.Document], *, user: Viewer, terms: tuple[str, ...]) -> list[tuple[int, Hit]]:
    articles = queries.articles().visible_to(user).with_site().in_bulk({d.article_id for d in documents})
    wanted = {d.comment_id for d in documents if d.comment_id is not None}
    comments = queries.comments().visible_to(user).filter(article_id__in=articles).in_bulk(wanted)
    hits = []
    for document in documents:
        article = articles.get(document.article_id)
        comment = comments.get(document.comment_id) if document.comment_id is not None else None
        if article is None or (document.comment_id is not None and comment is None):
            continue
        hits.append((document.id, Hit(article, comment, highlight((comment or article).body, terms))))
    return hits
