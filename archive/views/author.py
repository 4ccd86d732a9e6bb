"""A name within a site, and what was written under it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from archive import queries
from archive.views.figures import LEAFED, span
from archive.views.page import page
from archive.views.paging import address, newest_first, ways


def author(request: HttpRequest, author_id: int) -> HttpResponse:
    named = get_object_or_404(queries.authors().visible_to(request.user).select_related("site"), pk=author_id)
    comments = queries.comments().visible_to(request.user).by_author(named.pk)
    found = newest_first(comments, request, limit=settings.RESULTS_PER_PAGE)
    dates = queries.comments().visible_to(request.user).filter(author_id=named.pk).written_when(among=LEAFED + 1)
    return page(
        request,
        "author.html",
        title=f"{named.name}, {named.site.name}",
        description=f"Comments under the name {named.name} on {named.site.name}.",
        path=address(request),
        author=named,
        comments=found.rows,
        span=span(dates, one="comment", many="comments"),
        **ways(request, found),
    )
