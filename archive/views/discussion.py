"""An article with its thread, page by page, and one comment in its place."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from archive import queries
from archive.models import Article
from archive.queries import ThreadRow
from archive.text import excerpt
from archive.views.grounds import told
from archive.views.page import gone, moved, page
from archive.views.paging import number
from archive.views.thread import Look, printed

ANCESTORS = 8  # shown above the first comment of a page; what is further up is a link away
ENTITIES = 12
TALLIED = 5_000  # comments, or mentions, that the notes at the side count: the first of a longer thread
MAX_JUMPS = 100  # places to jump to


class Span(NamedTuple):
    """A page of a thread: the rank of its first comment, and the numbers of its first and last one."""

    rank: int
    first: int
    last: int


class Pager(NamedTuple):
    """Where in the thread a page is. ``jumps`` are all pages, or every so manieth of a very long thread."""

    places: int
    here: Span
    previous: Span | None
    next: Span | None
    jumps: list[Span]


def article(request: HttpRequest, article_id: int, slug: str) -> HttpResponse:
    shown = _visible_article(request, article_id)
    own = shown.get_absolute_url()
    if elsewhere := moved(request, own):
        return elsewhere
    pages = pager(queries.comments().thread_length(shown.pk), rank=number(request.GET.get("rank")) or 0)
    rows = queries.comments().for_thread_page(shown.pk, rank=pages.here.rank, limit=settings.COMMENTS_PER_PAGE)
    above = _above(shown.pk, rows)
    first = pages.here.rank // settings.COMMENTS_PER_PAGE * settings.COMMENTS_PER_PAGE
    return page(
        request,
        "article.html",
        title=shown.title,
        description=excerpt(shown.body[:1000], 200),
        path=f"{own}?rank={first}" if first else own,
        article=shown,
        pages=pages,
        above=above,
        rows=printed([*above, *rows], shown, Look(context={row.id for row in above})),
        entities=queries.mentions().most_named_in(shown.pk, among=TALLIED, limit=ENTITIES),
        tally=queries.comments().basis_tally(shown.pk, first=TALLIED),
    )


def comment(request: HttpRequest, article_id: int, comment_id: int) -> HttpResponse:
    shown = _visible_article(request, article_id)
    found = queries.comments().for_thread(shown.pk).filter(pk=comment_id).first()
    if found is None:
        return _former(request, shown, comment_id)
    here = ThreadRow._make(found)
    above = _above(shown.pk, [here])
    rows = queries.comments().for_subtree(
        shown.pk, rank=here.thread_rank, subtree_size=here.subtree_size, limit=settings.COMMENTS_PER_PAGE
    )
    left_out = here.subtree_size + 1 - len(rows)
    grounds = queries.comments().grounds(shown.pk, here.id)
    return page(
        request,
        "comment.html",
        title=f"{here.shown_author or 'A comment'} on “{shown.title}”",
        description=f"A comment under “{shown.title}” ({shown.site.name}), with what it replies to and its replies.",
        article=shown,
        here=here,
        rows=printed([*above, *rows], shown, Look(context={row.id for row in above}, here=here.id)),
        further_up=here.depth > len(above),
        left_out=left_out,
        grounds=grounds and told(grounds, is_root=here.parent_id is None),
        place=grounds.place if grounds and shown.span_start is not None else None,
        next_rank=here.thread_rank + len(rows),
        page_rank=here.thread_rank // settings.COMMENTS_PER_PAGE * settings.COMMENTS_PER_PAGE,
    )


def _former(request: HttpRequest, article: Article, comment_id: int) -> HttpResponse:
    """Where a comment went that was joined into another when the discussion was corrected or read again."""
    former = queries.comments().former(article.pk, comment_id)
    if former is None:
        raise Http404
    if former.heir_id is None:
        return gone(request, article)
    # Not for good: a later correction may take the two apart, and the comment has its address back.
    return HttpResponseRedirect(reverse("comment", args=[article.pk, former.heir_id]))


def pager(places: int, *, rank: int) -> Pager:
    """The page of a thread with so many ``places`` that starts at ``rank``, or its last one if it ends before."""
    size = settings.COMMENTS_PER_PAGE
    rank = rank if rank < places else max(0, places - 1) // size * size

    def span(start: int) -> Span:
        return Span(start, start + 1, min(start + size, places))

    step = size * max(1, -(-places // (size * MAX_JUMPS)))
    return Pager(
        places,
        span(rank),
        span(max(0, rank - size)) if rank else None,
        span(rank + size) if rank + size < places else None,
        [span(start) for start in range(0, places, step)],
    )


def _visible_article(request: HttpRequest, article_id: int) -> Article:
    return get_object_or_404(queries.articles().visible_to(request.user).with_site(), pk=article_id)


def _above(article_id: int, rows: list[ThreadRow]) -> list[ThreadRow]:
    """The ancestors of the first of ``rows``."""
    if not rows:
        return []
    first = rows[0]
    return queries.comments().ancestors_of(article_id, rank=first.thread_rank, depth=first.depth, limit=ANCESTORS)
