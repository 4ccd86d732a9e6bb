"""A name within a site, and what was written under it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from archive import queries
from archive.views.page import page
from archive.views.paging import address, newest_first


def author(request: HttpRequest, author_id: int) -> HttpResponse:
    named = get_object_or_404(queries.authors().visible_to(request.user).select_related("site"), pk=author_id)
    comments = queries.comments().visible_to(request.user).by_author(named.pk)
    found = newest_first(comments, before=request.GET.get("before"), limit=settings.RESULTS_PER_PAGE)
    return page(
        request,
        "author.html",
        title=f"{named.name}, {named.site.name}",
        description=f"Comments under the name {named.name} on {named.site.name}.",
        path=address(request),
        author=named,
        comments=found.rows,
        first_url=address(request, before=None) if request.GET.get("before") else "",
        next_url=address(request, before=found.next) if found.next else "",
    )
