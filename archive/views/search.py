"""Free text over articles and comments."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from archive import queries
from archive import search as engine
from archive.filters import ArticleFilter
from archive.views.filtering import filtering
from archive.views.page import page
from archive.views.paging import address, number


def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")[: engine.MAX_TEXT].strip()
    asked = ArticleFilter(request.GET, queryset=queries.articles().visible_to(request.user))
    narrowed = filtering(request, asked)
    within = asked.qs if narrowed.chosen else None
    before = number(request.GET.get("before"))
    limit = settings.RESULTS_PER_PAGE
    found = engine.find(text, user=request.user, articles=within, before=before, limit=limit) if text else None
    return page(
        request,
        "search.html",
        title=f"“{text}”" if text else "Search",
        path=address(request),
        q=text,
        feed_url=address(request, before=None).replace(request.path, reverse("search-feed"), 1) if text else "",
        found=found,
        filtering=narrowed,
        first_url=address(request, before=None) if before else "",
        next_url=address(request, before=str(found.next)) if found and found.next else "",
    )
