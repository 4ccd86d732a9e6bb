"""An article with its thread, page by page, and one comment in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from archive import queries
from archive.citation import FORMATS, Citation
from archive.filters import ThreadFilter
from archive.ingest.records import Basis
from archive.models import Article
from archive.queries import BasisTally, Order, ThreadRow, tally_of
from archive.text import excerpt
from archive.threads import Sort
from archive.views import selection
from archive.views.charts import timeline
from archive.views.filtering import choices
from archive.views.grounds import told
from archive.views.page import gone, moved, page
from archive.views.paging import number
from archive.views.selection import Asked, Selection
from archive.views.structured import posting
from archive.views.thread import Look, loaded, rest_of, thread

if TYPE_CHECKING:
    from archive.queries import CommentQuerySet

ANCESTORS = 4  # shown above a comment on its own page, where ``?context=`` does not say how many
MAX_ANCESTORS = 20
ENTITIES = 12
NEW = 1_000  # comments that are counted as new since a visit
TALLIED = 1_000  # comments, or mentions, that the notes at the side count: the first of a longer thread


def article(request: HttpRequest, article_id: int, slug: str) -> HttpResponse:
    shown = _visible_article(request, article_id)
    own = shown.get_absolute_url()
    if elsewhere := moved(request, own):
        return elsewhere
    asked = selection.asked(request.GET)
    if upto := _part_upto(request, shown.pk):
        return HttpResponseRedirect(f"{own}?{upto}#discussion")
    if request.GET.get("view") == "print":
        return _printed(request, shown)
    narrowed = ThreadFilter(request.GET, shown) if selection.is_filtered(request.GET) else None
    if narrowed and narrowed.values():
        return _filtered(request, shown, asked, narrowed)
    size = settings.COMMENTS_PER_PAGE
    part = selection.select_part(shown.pk, asked, size=size)
    asked = asked if part is None else asked._replace(order=Order())
    found = part or selection.select(shown.pk, asked, size=size)
    levels, nested = asked.order.levels, asked.order.sort != Sort.FLAT
    is_long = found.places > size and part is None
    return _discussion(
        request,
        shown,
        asked.order,
        narrowed=narrowed,
        path=_canonical(own, asked, found) if part is None else f"{own}?{_part_of(asked)}",
        pages=selection.pager(request, found, size=size),
        above=found.above,
        rows=thread(found.shown, shown, Look(context={row.id for row in found.above}, nested=nested, levels=levels)),
        part=part is not None,
        outline=selection.outline(own, shown.pk, size=size) if is_long and asked.order == Order() else [],
        data=posting(shown, found.rows, absolute=request.build_absolute_uri) if asked == Asked() else "",
        entities=queries.mentions().most_named_in(shown.pk, among=TALLIED, limit=ENTITIES),
        tally=_tally(shown.pk, found, is_whole=part is None and not levels),
    )


def _tally(article_id: int, found: Selection, *, is_whole: bool) -> BasisTally:
    """How sure the thread is: of the page's own rows where it shows all there are."""
    if is_whole and len(found.rows) == found.places <= TALLIED:
        return tally_of(found.rows)
    return queries.comments().basis_tally(article_id, first=TALLIED)


def _filtered(request: HttpRequest, shown: Article, asked: Asked, narrowed: ThreadFilter) -> HttpResponse:
    """The comments that match, with what they reply to. Nothing at the side: this is a page to find something on."""
    asked = asked._replace(order=Order(asked.order.sort if asked.order.sort == Sort.FLAT else Sort.THREAD))
    matching = cast("CommentQuerySet", narrowed.qs)
    found = selection.select_matches(shown.pk, asked, matching, size=settings.MATCHES_PER_PAGE)
    look = Look(
        context={row.id for row in found.above},
        matches={row.id for row in found.rows},
        nested=asked.order.sort != Sort.FLAT,
    )
    return _discussion(
        request,
        shown,
        asked.order,
        path=shown.get_absolute_url(),
        pages=selection.pager(request, found, size=settings.MATCHES_PER_PAGE),
        above=[],
        rows=thread(found.shown, shown, look),
        part=False,
        narrowed=narrowed,
        too_many=found.places > selection.MAX_MATCHES,
        outline=[],
        entities=[],
        tally=None,
    )


def _discussion(
    request: HttpRequest, shown: Article, order: Order, *, narrowed: ThreadFilter | None, **context: Any
) -> HttpResponse:
    dated = shown.last_comment_at is not None
    return page(
        request,
        "article.html",
        title=shown.title,
        description=excerpt(shown.body[:1000], 200),
        article=shown,
        order=order,
        order_in_words=selection.in_words(order),
        ways=selection.ways(request, order, dated=dated),
        cited=_citation(request, shown),
        filtering=narrowed and {"values": narrowed.values(), "problems": narrowed.problems()},
        chosen=choices(request, narrowed) if narrowed else [],
        activity=_activity(shown, narrowed.values() if narrowed else {}),
        **{"too_many": False, "data": "", **context},
    )


def _activity(shown: Article, chosen: Mapping[str, Any]) -> str:
    """When the discussion took place, drawn; each bar leads to the comments of its days."""
    own = shown.get_absolute_url()
    return timeline(
        shown.activity,
        name="activity",
        link=lambda first, last: f"{own}?since={first}&until={last}#discussion",
        since=chosen.get("since"),
        until=chosen.get("until"),
    )


def _printed(request: HttpRequest, shown: Article) -> HttpResponse:
    """The article and its whole thread in one piece, as far as ``COMMENTS_PER_PRINT`` goes."""
    places = queries.comments().thread_length(shown.pk)
    rows = queries.comments().for_thread_page(shown.pk, rank=0, limit=settings.COMMENTS_PER_PRINT)
    return page(
        request,
        "print.html",
        title=shown.title,
        path=shown.get_absolute_url(),
        article=shown,
        rows=thread(rows, shown),
        printed=len(rows),
        places=places,
        cited=_citation(request, shown),
    )


def comment(request: HttpRequest, article_id: int, comment_id: int) -> HttpResponse:
    """A comment in its place, with replies from ``after`` on; asked for by a script, these replies alone."""
    shown = _visible_article(request, article_id)
    found = queries.comments().for_thread(shown.pk).filter(pk=comment_id).first()
    if found is None:
        return _former(request, shown, comment_id)
    here = ThreadRow._make(found)
    rows = _replies(shown.pk, here, number(request.GET.get("after")))
    left_out = here.thread_rank + here.subtree_size - (rows[-1].thread_rank if rows else here.thread_rank)
    rest = rest_of(shown, here.id, after=rows[-1].id, count=left_out) if rows and left_out else ""
    if "HX-Request" in request.headers:
        return _varying(HttpResponse(loaded(rows, shown, here.id, rest)))
    context = number(request.GET.get("context"))
    limit = ANCESTORS if context is None else min(context, MAX_ANCESTORS)
    above = queries.comments().ancestors_of(shown.pk, [here.id], limit=limit) if limit else []
    grounds = queries.comments().grounds(shown.pk, here.id)
    look = Look(context={row.id for row in above}, here=here.id, rest=rest)
    made = page(
        request,
        "comment.html",
        title=f"{here.shown_author or 'A comment'} on “{shown.title}”",
        description=f"A comment under “{shown.title}” ({shown.site.name}), with what it replies to and its replies.",
        article=shown,
        here=here,
        rows=thread([*above, here, *rows], shown, look),
        further_up=here.depth > len(above) and limit < MAX_ANCESTORS,
        most_above=MAX_ANCESTORS,
        grounds=grounds and told(grounds, is_root=here.parent_id is None),
        page_rank=here.thread_rank // settings.COMMENTS_PER_PAGE * settings.COMMENTS_PER_PAGE,
        cited=_citation(request, shown, here),
    )
    return _varying(made)


def _replies(article_id: int, here: ThreadRow, after: int | None) -> list[ThreadRow]:
    """The first replies, direct and indirect, or those after one of them."""
    end = here.thread_rank + here.subtree_size
    last = None if after is None else queries.comments().rank_of(article_id, after)
    if last is None or not here.thread_rank < last <= end:
        last = here.thread_rank
    if last == end:
        return []
    return queries.comments().for_subtree(article_id, rank=last + 1, end=end, limit=settings.COMMENTS_PER_PAGE)


def _varying(made: HttpResponse) -> HttpResponse:
    patch_vary_headers(made, ["HX-Request"])
    return made


def newer(request: HttpRequest, article_id: int) -> HttpResponse:
    """For a script: how many comments came after ``?after=``, and where the first of them in thread order is."""
    shown = get_object_or_404(queries.articles().visible_to(request.user).only("slug"), pk=article_id)
    found = queries.comments().newer_than(shown.pk, number(request.GET.get("after")) or 0, limit=NEW + 1)
    first = ""
    if found.rank is not None:
        size = settings.COMMENTS_PER_PAGE
        first = f"{shown.get_absolute_url()}?rank={found.rank // size * size}#c{found.id}"
    return JsonResponse({"count": min(found.comments, NEW), "more": found.comments > NEW, "first": first})


def cite(request: HttpRequest, article_id: int, kind: str, comment_id: int = 0) -> HttpResponse:
    """A citation as a file."""
    shown = _visible_article(request, article_id)
    found = queries.comments().for_thread(shown.pk).filter(pk=comment_id).first() if comment_id else None
    if kind not in FORMATS or (comment_id and found is None):
        raise Http404
    cited = _citation(request, shown, None if found is None else ThreadRow._make(found))
    made = HttpResponse(cited.formatted(kind), content_type=FORMATS[kind])
    made.headers["Content-Disposition"] = f'attachment; filename="{cited.key}.{kind}"'
    return made


def _citation(request: HttpRequest, article: Article, row: ThreadRow | None = None) -> Citation:
    """Only what the source states or a person has reviewed; of a tombstone neither author nor date."""
    known = (Basis.STATED, Basis.REVIEWED)
    author, written, own = article.byline, article.published_at, article.get_absolute_url()
    if row is not None:
        own = reverse("comment", args=[article.pk, row.id])
        author = row.shown_author if row.author_basis in known else ""
        written = row.posted_at if row.date_basis in known and not row.is_tombstone else None
    return Citation(
        key=f"afterword-{article.pk}" if row is None else f"afterword-{article.pk}-{row.id}",
        title=article.title,
        author=author,
        site=article.site.name,
        written=written,
        archive=settings.SITE_NAME,
        archived=article.imported_at,
        url=request.build_absolute_uri(own),
        sha256=str(getattr(article, "source_sha256", "")),
        comment=0 if row is None else row.thread_rank + 1,
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
    visible = queries.articles().visible_to(request.user).with_site().with_digest().with_newest_comment()
    return get_object_or_404(visible, pk=article_id)


def _canonical(own: str, asked: Asked, found: Selection) -> str:
    """The page of the thread's own order in which the first comment is; other orders show the same comments."""
    size = settings.COMMENTS_PER_PAGE
    first = found.start // size * size if asked.order == Order() else 0
    return f"{own}?rank={first}" if first else own


def _part_upto(request: HttpRequest, article_id: int) -> str:
    """The query of a part that is asked for from a comment to the one with a number, as it stands beside each."""
    first, upto = number(request.GET.get("from")), number(request.GET.get("upto"))
    if first is None or upto is None:
        return ""
    last = queries.comments().at_place(article_id, min(max(upto - 1, 0), selection.LAST_PLACE))
    return f"from={first}&to={last}" if last else ""


def _part_of(asked: Asked) -> str:
    first, last = asked.part or (0, 0)
    return f"from={first}&to={last}" + (f"&rank={asked.rank}" if asked.rank else "")
