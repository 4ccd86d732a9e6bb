"""A site: what the archive keeps of it."""

from __future__ import annotations

import re
from datetime import date

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from archive import queries
from archive.filters import PERIOD, period_in_words
from archive.views.figures import between, figures
from archive.views.page import moved, page
from archive.views.paging import address, most_discussed, newest_first, ways
from archive.views.periods import choices


def site(request: HttpRequest, site_id: int, slug: str) -> HttpResponse:
    """Its articles, latest or most discussed, of all time or of a year; readers know no site of which they see none."""
    shown = get_object_or_404(queries.sites(), pk=site_id)
    periods = queries.periods(shown)
    if not periods and not queries.may_moderate(request.user, shown.pk):
        raise Http404
    if elsewhere := moved(request, shown.get_absolute_url()):
        return elsewhere
    period = request.GET.get("period", "")
    period = period if re.match(PERIOD, period) else ""
    discussed = bool(period) or request.GET.get("order") == "discussed"
    rows = queries.articles().visible_to(request.user).of_site(shown).with_site().with_start()
    rows = rows.published_in(period) if period else rows
    order, paginate = (rows.most_discussed(), most_discussed) if discussed else (rows.newest_first(), newest_first)
    found = paginate(order, request, limit=settings.RESULTS_PER_PAGE)

    def link(first: date, last: date) -> str:
        query = {"site": shown.slug, "order": "discussed", **between(first, last)}
        return f"{reverse('home')}?{urlencode(query)}"

    here = figures(periods, link=link)
    start = {"before": None, "after": None, "period": None}
    return page(
        request,
        "site.html",
        title=shown.name,
        description=f"Articles of {shown.name} and the discussions under them.",
        path=address(request),
        site=shown,
        articles=found.rows,
        discussed=discussed,
        figures=here,
        period=period_in_words(period) if period else "",
        periods=choices(request, here, period) if discussed else [],
        order_urls=(address(request, order=None, **start), address(request, order="discussed", **start)),
        **ways(request, found),
    )
