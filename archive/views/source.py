"""The source of an article: where each comment comes from."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from archive import provenance, queries
from archive.views.page import page
from archive.views.paging import number


def source(request: HttpRequest, article_id: int) -> HttpResponse:
    """``?at=`` is an offset into the source: the page shows the lines around it, with its part marked."""
    found = (
        queries.articles()
        .visible_to(request.user)
        .with_site()
        .select_related("source")
        .defer("source__content", "body", "html")
    )
    article = get_object_or_404(found, pk=article_id)
    extract = provenance.extract(article, number(request.GET.get("at")))
    if extract is None:
        raise Http404
    return page(
        request,
        "source.html",
        title=f"The source of “{article.title}”",
        description=f"The text from which the discussion under “{article.title}” was recovered, line by line.",
        article=article,
        extract=extract,
    )


def comment_source(request: HttpRequest, article_id: int, comment_id: int) -> HttpResponse:
    """From a comment to its place in the source. The place may move when a correction is published, the address not."""
    comments = queries.comments().visible_to(request.user)
    place = comments.place_in_source(article_id, comment_id)
    if place is None and (former := comments.former(article_id, comment_id)) and former.heir_id is not None:
        place = comments.place_in_source(article_id, former.heir_id)
    if place is None:
        raise Http404
    return HttpResponseRedirect(f"{reverse('source', args=[article_id])}?at={place}#here")
