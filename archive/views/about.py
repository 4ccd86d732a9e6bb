"""What the archive is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
