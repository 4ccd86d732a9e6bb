"""For crawlers: what they may fetch, and where everything is, in parts.

A part holds the articles, or the entities, of a range of ids: it is found without counting what comes before it, and
stays the same part when others are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import conditional_page

from archive import queries

PART = 10_000  # ids in a part; the protocol allows 50,000 addresses
MOST_SITES = 50_000
KINDS = ("articles", "entities")
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def robots(request: HttpRequest) -> HttpResponse:
    """Threads are to be found; searches and lists by filter are endless and lead to the same threads."""
    closed = [*map(reverse, ("search", "random", "look", "admin:index", "accounts:sign-in")), f"{reverse('home')}?"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    lines += ["", f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@conditional_page
def sitemap(request: HttpRequest) -> HttpResponse:
    """The index of the parts in which there is something."""
    parts = [(kind, number) for kind, number in queries.sitemap_parts(PART)]
    addresses = [reverse("sitemap-sites"), *(reverse("sitemap-part", args=part) for part in parts)]
    return _xml("sitemapindex", "sitemap", ((request.build_absolute_uri(url), None) for url in addresses))


@conditional_page
def part(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """What lies between ``number * PART`` and the next multiple."""
    if kind not in KINDS or number > queries.MOST_IDS // PART:
        raise Http404
    first, last = number * PART, (number + 1) * PART - 1
    if kind == "articles":
        articles = queries.articles().visible_to(None).filter(pk__range=(first, last)).order_by("pk")
        shown: list[tuple[Model, datetime | None]] = [
            (article, article.changed_at) for article in articles.only("pk", "slug", "changed_at")
        ]
    else:
        entities = queries.entities().visible_to(None).filter(pk__range=(first, last)).order_by("pk")
        shown = [(entity, None) for entity in entities.only("pk", "name")]
    if not shown:
        raise Http404
    return _urls(request, shown)


@conditional_page
def sites(request: HttpRequest) -> HttpResponse:
    return _urls(request, [(site, None) for site in queries.sites_shown().order_by("pk")[:MOST_SITES]])


def _urls(request: HttpRequest, shown: Iterable[tuple[Model, datetime | None]]) -> HttpResponse:
    host = request.build_absolute_uri("/").removesuffix("/")
    rows = ((f"{host}{row.get_absolute_url()}", changed) for row, changed in shown)  # type: ignore[attr-defined]
    return _xml("urlset", "url", rows)


def _xml(root: str, item: str, rows: Iterable[tuple[str, datetime | None]]) -> HttpResponse:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_NAMESPACE}">']
    for url, changed in rows:
        last = f"<lastmod>{changed:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if changed else ""
        lines.append(f"<{item}><loc>{escape(url)}</loc>{last}</{item}>")
    lines += [f"</{root}>", ""]
    response = HttpResponse("\n".join(lines), content_type="application/xml; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response
