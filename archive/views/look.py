"""How pages look to one reader: dark or light, airy or dense.

A page is the same for everyone, so that it can be made once and kept. What a reader chose lies in two cookies and
comes as a second, tiny stylesheet: nothing flashes, because a browser waits for stylesheets before it paints, and no
script is needed. The browser asks each time whether it has changed: Chromium does not heed ``Vary: Cookie``, and
showed the old colours for as long as the stylesheet was fresh.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page, require_POST

# The first of each is what those have who chose nothing; its rules are the stylesheet's own.
CHOICES = {
    "theme": {"system": "", "light": "color-scheme:light;", "dark": "color-scheme:dark;"},
    "density": {"comfortable": "", "compact": "--air:.55;--leading:1.4;"},
}
KEPT = 400 * 24 * 60 * 60  # seconds; browsers keep cookies no longer


@conditional_page
def stylesheet(request: HttpRequest) -> HttpResponse:
    chosen = {name: _chosen(request, name) for name in CHOICES}
    rules = "".join(CHOICES[name][value] for name, value in chosen.items())
    named = "".join(f"--{name}:{value};" for name, value in chosen.items())
    pressed = ",".join(f"[value={value}]" for value in chosen.values())
    css = f"@media screen{{:root{{{named}{rules}}}.look :is({pressed}){{--pressed:var(--accent)}}}}"
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


@csrf_exempt  # pages are the same for all guests and so hold no token; other sites are told by the header below
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen and go back to where that was done; what is no choice changes nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return HttpResponseForbidden()
    response = HttpResponseRedirect(_back(request))
    for name, values in CHOICES.items():
        value = request.POST.get(name, "")
        if value == next(iter(values)):
            response.delete_cookie(name, samesite="Lax")
        elif value in values:
            response.set_cookie(name, value, KEPT, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return response


def _chosen(request: HttpRequest, name: str) -> str:
    value = request.COOKIES.get(name, "")
    return value if value in CHOICES[name] else next(iter(CHOICES[name]))


def _back(request: HttpRequest) -> str:
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return reverse("home")
    parts = urlsplit(referer)
    return f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
