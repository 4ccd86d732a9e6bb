"""What is here: the articles and their discussions, newest or most discussed first, narrowed as the reader likes."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from archive import queries
from archive.filters import DiscussionFilter
from archive.views.filtering import filtering
from archive.views.page import page
from archive.views.paging import address, most_discussed, newest_first

ENTITIES = 12


def home(request: HttpRequest) -> HttpResponse:
    asked = DiscussionFilter(request.GET, queryset=queries.articles().visible_to(request.user).with_site().with_start())
    discussed = request.GET.get("order") == "discussed"
    articles, paginate = (
        (asked.qs.most_discussed(), most_discussed) if discussed else (asked.qs.newest_first(), newest_first)
    )
    found = paginate(articles, before=request.GET.get("before"), limit=settings.RESULTS_PER_PAGE)
    narrowed = filtering(request, asked)
    return page(
        request,
        "home.html",
        title="",
        description="Articles and the discussions under them, kept readable, searchable and citable.",
        path=address(request) if narrowed.chosen or discussed else reverse("home"),
        articles=found.rows,
        discussed=discussed,
        filtering=narrowed,
        entities=queries.entities().visible_to(request.user).most_mentioned()[:ENTITIES],
        order_urls=(address(request, order=None, before=None), address(request, order="discussed", before=None)),
        first_url=address(request, before=None) if request.GET.get("before") else "",
        next_url=address(request, before=found.next) if found.next else "",
    )
