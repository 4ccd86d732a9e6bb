"""What every page has: a title, a description, and the one address under which it is to be known."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render

from archive.models import Article


def page(
    request: HttpRequest, template: str, *, title: str, description: str = "", path: str = "", **context: Any
) -> HttpResponse:
    """Render ``template``. ``path`` is the canonical address, with its query, if it is not the one asked for."""
    canonical = request.build_absolute_uri(path or request.path)
    context |= {"title": title, "description": description, "canonical": canonical}
    return render(request, template, context)


def gone(request: HttpRequest, article: Article) -> HttpResponse:
    """For a comment of a visible article that is none any more."""
    return render(request, "410.html", {"article": article}, status=410)


def moved(request: HttpRequest, own: str) -> HttpResponse | None:
    """A permanent redirect to a thing's ``own`` address, with the query kept, where it was asked for by another."""
    if request.path == unquote(own):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{own}?{query}" if query else own)
