"""An article with its thread, page by page, and one comment in its place."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from archive import queries
from archive.models import Article
from archive.queries import Order, ThreadRow
from archive.text import excerpt
from archive.threads import Sort
from archive.views import selection
from archive.views.grounds import told
from archive.views.page import gone, moved, page
from archive.views.selection import Asked, Selection
from archive.views.thread import Look, thread

ANCESTORS = 4  # shown above a comment on its own page
ENTITIES = 12
TALLIED = 1_000  # comments, or mentions, that the notes at the side count: the first of a longer thread


def article(request: HttpRequest, article_id: int, slug: str) -> HttpResponse:
    shown = _visible_article(request, article_id)
    own = shown.get_absolute_url()
    if elsewhere := moved(request, own):
        return elsewhere
    asked = selection.asked(request.GET)
    found = selection.select(shown.pk, asked, size=settings.COMMENTS_PER_PAGE)
    look = Look(
        context={row.id for row in found.above}, nested=asked.order.sort != Sort.FLAT, levels=asked.order.levels
    )
    return page(
        request,
        "article.html",
        title=shown.title,
        description=excerpt(shown.body[:1000], 200),
        path=_canonical(own, asked, found),
        article=shown,
        pages=selection.pager(request, found, size=settings.COMMENTS_PER_PAGE),
        order=asked.order,
        order_in_words=selection.in_words(asked.order),
        ways=selection.ways(request, asked.order, dated=shown.last_comment_at is not None),
        above=found.above,
        rows=thread([*found.above, *found.rows], shown, look),
        entities=queries.mentions().most_named_in(shown.pk, among=TALLIED, limit=ENTITIES),
        tally=queries.comments().basis_tally(shown.pk, first=TALLIED),
    )


def comment(request: HttpRequest, article_id: int, comment_id: int) -> HttpResponse:
    shown = _visible_article(request, article_id)
    found = queries.comments().for_thread(shown.pk).filter(pk=comment_id).first()
    if found is None:
        return _former(request, shown, comment_id)
    here = ThreadRow._make(found)
    above = queries.comments().ancestors_of(shown.pk, [here.id], limit=ANCESTORS)
    end = here.thread_rank + here.subtree_size
    rows = queries.comments().for_subtree(shown.pk, rank=here.thread_rank, end=end, limit=settings.COMMENTS_PER_PAGE)
    left_out = here.subtree_size + 1 - len(rows)
    grounds = queries.comments().grounds(shown.pk, here.id)
    return page(
        request,
        "comment.html",
        title=f"{here.shown_author or 'A comment'} on “{shown.title}”",
        description=f"A comment under “{shown.title}” ({shown.site.name}), with what it replies to and its replies.",
        article=shown,
        here=here,
        rows=thread([*above, *rows], shown, Look(context={row.id for row in above}, here=here.id)),
        further_up=here.depth > len(above),
        left_out=left_out,
        grounds=grounds and told(grounds, is_root=here.parent_id is None),
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


def _visible_article(request: HttpRequest, article_id: int) -> Article:
    return get_object_or_404(queries.articles().visible_to(request.user).with_site(), pk=article_id)


def _canonical(own: str, asked: Asked, found: Selection) -> str:
    """The page of the thread's own order in which the first comment is; other orders show the same comments."""
    size = settings.COMMENTS_PER_PAGE
    first = found.start // size * size if asked.order == Order() else 0
    return f"{own}?rank={first}" if first else own
