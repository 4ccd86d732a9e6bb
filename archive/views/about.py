"""What the archive is, and what it asks of robots."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from archive import queries
from archive.views import thread
from archive.views.figures import figures
from archive.views.page import page


def about(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        "about.html",
        title="About",
        description=f"What {settings.SITE_NAME} keeps, how sure it is of each part, and how to cite it.",
        sure=thread.SURE,
        doubtful=thread.DOUBTFUL,
        figures=figures(queries.periods()),
    )


def robots(request: HttpRequest) -> HttpResponse:
    """Threads are to be found; searches and lists by filter are endless and lead to the same threads."""
    closed = [reverse("search"), reverse("admin:index"), reverse("accounts:sign-in"), f"{reverse('home')}?"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
