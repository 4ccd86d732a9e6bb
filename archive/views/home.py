"""What is here, how much and since when, and the articles, by several conditions at once."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from archive import queries
from archive.filters import DiscussionFilter
from archive.views.figures import between, figures
from archive.views.filtering import filtering
from archive.views.page import page
from archive.views.paging import address, most_discussed, newest_first, ways
from archive.views.periods import choices

ENTITIES = 12
SITES = 12


def home(request: HttpRequest) -> HttpResponse:
    asked = DiscussionFilter(request.GET, queryset=queries.articles().visible_to(request.user).with_site().with_start())
    discussed = request.GET.get("order") == "discussed"
    rows, paginate = (
        (asked.qs.most_discussed(), most_discussed) if discussed else (asked.qs.newest_first(), newest_first)
    )
    found = paginate(rows, request, limit=settings.RESULTS_PER_PAGE)
    narrowed = filtering(request, asked)
    here = figures(queries.periods(), link=lambda first, last: _most_discussed(first, last))
    is_start = not (narrowed.chosen or discussed or request.GET.get("before") or request.GET.get("after"))
    start = {"before": None, "after": None}
    return page(
        request,
        "home.html",
        title="",
        description="Articles and the discussions under them, kept readable, searchable and citable.",
        path=reverse("home") if is_start else address(request),
        articles=found.rows,
        discussed=discussed,
        is_start=is_start,
        filtering=narrowed,
        figures=here,
        periods=choices(request, here, narrowed.values.get("period", "")) if discussed else [],
        sites=queries.largest_sites(SITES),
        entities=queries.entities().visible_to(request.user).most_mentioned()[:ENTITIES],
        order_urls=(address(request, order=None, **start), address(request, order="discussed", **start)),
        **ways(request, found),
    )


def random(request: HttpRequest) -> HttpResponse:
    """To some discussion; to the first page where there is none."""
    found = queries.random_article()
    response = HttpResponseRedirect(found.get_absolute_url() if found else reverse("home"))
    response.headers["Cache-Control"] = "no-store"
    return response


def _most_discussed(first: date, last: date) -> str:
    since, until = between(first, last).values()
    return f"{reverse('home')}?order=discussed&since={since}&until={until}"
